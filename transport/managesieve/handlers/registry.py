"""Which function answers which command, and whether before or after the login (RFC 5804 §2).

Each module of this package registers its commands with `handles`; a new one is found by its being here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transport.managesieve.replies import Reply
    from transport.managesieve.session import Session
    from transport.managesieve.wire.commands import Command

    Run = Callable[[Session, Command], Awaitable[Reply]]


class When(Enum):
    ANY = "at any time"
    BEFORE_LOGIN = "before the login"
    LOGGED_IN = "after the login"


@dataclass(frozen=True, slots=True)
class Handler:
    run: Run
    when: When


HANDLERS: dict[str, Handler] = {}


def handles(name: str, when: When = When.LOGGED_IN) -> Callable[[Run], Run]:
    """Register `run(session, command) -> Reply` for the command `name`."""

    def register(run: Run) -> Run:
        HANDLERS[name] = Handler(run, when)
        return run

    return register
