"""Copies of the mail that a script has sent, and the tags that say where they go (RFC 8580)."""

from dataclasses import replace
from typing import Any

from routing.sieve.actions import Action, Copy, Notify, Vacation
from routing.sieve.calls import Call

FCC_COMMANDS = ("vacation", "notify")


def with_copy(action: Vacation | Notify, **changes: Any) -> Action:
    """The action, its copy changed so."""
    return replace(action, copy=replace(action.copy or Copy(""), **changes))


def needs_fcc(call: Call, value: Any) -> None:
    """A tag that speaks of the copy is of no use without one. Raises InvalidUse."""
    if not call.has("fcc"):
        raise call.invalid("this tag needs :fcc beside it")
