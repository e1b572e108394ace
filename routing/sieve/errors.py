"""What can be wrong with a script: all that its compilation found, or one thing that happened as it ran."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ScriptError:
    """One error; `line` and `column` count from 1, the column in characters."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class InvalidScript(Exception):
    """The script does not compile. `errors` are in the order of the text, never none."""

    def __init__(self, errors: tuple[ScriptError, ...]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors


class InvalidUse(Exception):
    """Raised while a command or test is checked; the checker adds the place. `at` is another offset than its own."""

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.at = at


class UnknownName(InvalidUse):
    """It names what this language does not have, or what the script has not required."""


class RunError(Exception):
    """A running script cannot go on (RFC 5228 §2.10.6). The interpreter adds the place and keeps the message."""
