"""The states of a session (RFC 9051 §3), pure."""

from enum import Enum


class State(Enum):
    NOT_AUTHENTICATED = "not authenticated"
    AUTHENTICATED = "authenticated"
    SELECTED = "selected"
    LOGOUT = "logout"


ANY = frozenset((State.NOT_AUTHENTICATED, State.AUTHENTICATED, State.SELECTED))
BEFORE_LOGIN = frozenset((State.NOT_AUTHENTICATED,))
LOGGED_IN = frozenset((State.AUTHENTICATED, State.SELECTED))
ONLY_SELECTED = frozenset((State.SELECTED,))


def refusal(state: State, wanted: frozenset[State]) -> str:
    """Why a command that wants one of `wanted` is BAD in `state`."""
    if wanted == BEFORE_LOGIN:
        return "already logged in"
    if state is State.NOT_AUTHENTICATED:
        return "log in first"
    return "no folder is selected"
