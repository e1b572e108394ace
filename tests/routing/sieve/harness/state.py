"""What a script under the harness works on: a host in memory that carries out results, and what was compiled last."""

from dataclasses import dataclass, field

from routing.sieve.actions import Action, FileInto, Keep
from routing.sieve.errors import ScriptError
from routing.sieve.program import Program
from routing.sieve.results import Result
from tests.routing.sieve.memory_host import MemoryHost


@dataclass
class HarnessHost(MemoryHost):
    """`stored` are the messages filed, `sent` all other actions that were carried out. `passed` and `failed` are cases."""

    stored: dict[str, list[bytes]] = field(default_factory=dict)
    sent: list[Action] = field(default_factory=list)
    program: Program | None = None
    result: Result | None = None
    errors: tuple[ScriptError, ...] = ()
    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def carry_out(self, result: Result) -> None:
        """Do what a result asks for, on lists."""
        for index, action in enumerate(result.actions):
            message = result.message_of(index).content
            match action:
                case Keep():
                    self._store("INBOX", message)
                case FileInto(folder=folder, create=create) if create or self.folder_exists(folder):
                    self.folders.add(folder)
                    self._store(folder, message)
                case FileInto():
                    self._store("INBOX", message)
                case _:
                    self.sent.append(action)
        self.memories |= {(memory.kind, memory.key) for memory in result.memories}

    def _store(self, folder: str, message: bytes) -> None:
        self.stored.setdefault(folder, []).append(message)


def described(action: Action) -> str:
    """An action as the tests of the harness name it: its kind, and what it is done with."""
    kind = type(action).__name__.lower()
    match action:
        case Keep(flags=flags):
            words: tuple[str, ...] = ("implicit",) if action.implicit else ()
            return " ".join((kind, *words, *flags))
        case FileInto(folder=folder, flags=flags):
            return " ".join((kind, folder, *flags))
    details = [getattr(action, name, "") for name in ("address", "reason", "method")]
    return " ".join((kind, *filter(None, details)))
