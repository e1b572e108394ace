"""What a run did, line by line, for the one who wonders why. It is bounded, whatever the script and the message."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum

from routing.sieve.lexer import Source

LINES_MAXIMUM = 5000
MISSES_MAXIMUM = 20  # comparisons of one test that did not fit
SHOWN_MAXIMUM = 200  # characters of a value
LINE_MAXIMUM = 4 * SHOWN_MAXIMUM


class Kind(Enum):
    COMMAND = "command"
    TEST = "test"
    COMPARISON = "comparison"
    ACTION = "action"
    NOTE = "note"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class TraceLine:
    """`line` is that of `source`, the script or one that it includes; `depth` counts the tests around.

    `holds`: what came of a test (None: it failed) or of a comparison.
    """

    line: int
    depth: int
    text: str
    kind: Kind = Kind.NOTE
    holds: bool | None = None
    source: Source | None = None


@dataclass(slots=True)
class Trace:
    """`line` and `source` are the place of what comes next. `is_cut`: there was more than is kept."""

    lines: list[TraceLine] = field(default_factory=list)
    depth: int = 0
    line: int = 0
    source: Source | None = None
    is_cut: bool = False
    _misses: int = 0

    def note(self, text: str, kind: Kind = Kind.NOTE, *, holds: bool | None = None) -> int:
        """The number of the line."""
        text = printable(text[:LINE_MAXIMUM])
        if len(self.lines) < LINES_MAXIMUM or kind is Kind.ERROR:
            self.lines.append(TraceLine(self.line, self.depth, text, kind, holds, self.source))
        else:
            self.is_cut = True
        return len(self.lines) - 1

    @contextmanager
    def command(self, name: str) -> Iterator[None]:
        """What comes within belongs to a command."""
        self.note(name, Kind.COMMAND)
        depth, self.depth = self.depth, 0
        try:
            yield
        finally:
            self.depth = depth

    @contextmanager
    def test(self, name: str) -> Iterator[list[bool]]:
        """What comes within belongs to a test; its answer is to be put into the list."""
        place = self.line, self.source
        number = self.note(name, Kind.TEST)
        is_kept = not self.is_cut
        self.depth += 1
        self._misses = 0
        answer: list[bool] = []
        try:
            yield answer
        finally:
            self.depth -= 1
            self.line, self.source = place
            if is_kept and answer:
                self.lines[number] = replace(self.lines[number], holds=answer[0])

    def compared(self, value: str, key: str, is_fit: bool) -> None:
        """One comparison of a test that runs."""
        self._misses += not is_fit
        if is_fit or self._misses <= MISSES_MAXIMUM:
            fits = "fits" if is_fit else "does not fit"
            self.note(f"{quoted(value)} {fits} {quoted(key)}", Kind.COMPARISON, holds=is_fit)
        elif self._misses == MISSES_MAXIMUM + 1:
            self.note("and so on: others that do not fit are left out")


def quoted(text: str) -> str:
    """A value for one line of a terminal, cut where it is long."""
    shown = printable(text[:SHOWN_MAXIMUM].replace("\\", "\\\\").replace('"', '\\"'))
    return f'"{shown}"' if len(text) <= SHOWN_MAXIMUM else f'"{shown}" and more'


def printable(text: str) -> str:
    """The same without what a terminal does not show as itself."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )
