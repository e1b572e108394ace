"""Which function answers which command, and in which states (RFC 9051 §6).

Each module of this package registers its commands with `handles`; a new one is found by its being here.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transport.imap.replies import Reply
    from transport.imap.session import Session
    from transport.imap.states import State

    Run = Callable[[Session, Any], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Handler:
    """`refreshes`: the selected folder is looked at first, and the client told what is new at the end.
    `answers_first`: it says something before that, and looks itself.
    `may_expunge`: EXPUNGE may be among it (RFC 9051 §7.5.1). A NoSuchFolder that such a handler raises means the
    selected folder.
    """

    run: Run
    states: frozenset[State]
    refreshes: bool
    may_expunge: bool
    answers_first: bool


HANDLERS: dict[str, Handler] = {}


def handles(
    *names: str,
    states: frozenset[State],
    refreshes: bool = False,
    may_expunge: bool = True,
    answers_first: bool = False,
) -> Callable[[Run], Run]:
    """Register `run(session, command) -> Reply` for the commands `names`."""

    def register(run: Run) -> Run:
        for name in names:
            HANDLERS[name] = Handler(run, states, refreshes, may_expunge, answers_first)
        return run

    return register


def load_modules(*packages: str) -> None:
    """Import every module of these packages, so that each registers what it holds."""
    for package in packages:
        module: Any = importlib.import_module(package)
        for found in pkgutil.iter_modules(module.__path__):
            importlib.import_module(f"{package}.{found.name}")
