"""A checked script, ready to run; it keeps its text for the places of errors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.errors import ScriptError

if TYPE_CHECKING:
    from routing.sieve.actions import Action
    from routing.sieve.host import Host, ScriptEnvelope
    from routing.sieve.interpreter import Run
    from routing.sieve.language import Command, Language
    from routing.sieve.lexer import Source
    from routing.sieve.message import Message
    from routing.sieve.results import Result
    from routing.sieve.trace import Trace


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a block, with its place."""

    at: int
    name: str
    command: "Command"


Block = tuple[Step, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Program:
    """`required` are the extensions of its `require`; `warnings` what a careful author would change."""

    language: "Language"
    source: "Source"
    block: Block
    required: frozenset[str]
    amendments: tuple[Callable[["Run", "Action"], "Action"], ...]
    warnings: tuple[ScriptError, ...] = ()

    def run(
        self,
        message: "Message",
        envelope: "ScriptEnvelope",
        host: "Host",
        *,
        environment: Mapping[str, str] | None = None,
        after: "Result | None" = None,
        trace: "Trace | None" = None,
    ) -> "Result":
        """What the script wants done with a message; never raises for what a script or a message does.

        `environment`: items of RFC 5183 by name. `after` is the result of the script before this one: its implicit
        keep is this script's to decide, its actions stay, and are not asked for again.
        """
        from routing.sieve.interpreter import run

        return run(self, message, envelope, host, environment or {}, after, trace)
