"""What a run did, line by line, for the one who wonders why."""

from dataclasses import dataclass, field

LINES_MAXIMUM = 5000
SHOWN_MAXIMUM = 200  # characters of a value


@dataclass(frozen=True, slots=True)
class TraceLine:
    """`line` is that of the script; `depth` counts the blocks and tests around."""

    line: int
    depth: int
    text: str


@dataclass(slots=True)
class Trace:
    lines: list[TraceLine] = field(default_factory=list)
    depth: int = 0
    line: int = 0

    def note(self, text: str) -> None:
        if len(self.lines) < LINES_MAXIMUM:
            self.lines.append(TraceLine(self.line, self.depth, text))

    def compared(self, value: str, key: str, is_fit: bool) -> None:
        """One comparison of a test that runs."""
        self.note(f"{_shown(value)} {'fits' if is_fit else 'does not fit'} {_shown(key)}")


def _shown(value: str) -> str:
    return repr(value if len(value) <= SHOWN_MAXIMUM else value[:SHOWN_MAXIMUM] + "…")
