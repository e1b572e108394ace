"""A script as a page shows it: each line with what ran there, and with the errors in it. Bounded and pure."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from routing.dry_run.report import cut, role_of, told
from routing.dry_run.running import DryRun
from routing.sieve.errors import ScriptError
from routing.sieve.lexer import Source
from routing.sieve.trace import Kind, TraceLine

LINES_MAXIMUM = 3000
STEPS_MAXIMUM = 40  # beside one line


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was found or done; `role` is the value of a Role."""

    role: str
    depth: int
    text: str


@dataclass(frozen=True, slots=True)
class ListedLine:
    """`text` of a line of the script; `has_run`: a command or test there did. `steps_left_out`: how many there are more."""

    number: int
    text: str
    has_run: bool
    steps: tuple[Step, ...] = ()
    steps_left_out: int = 0
    errors: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """One script: the one that was tried, or another that it included. `lines_left_out`: how many follow."""

    is_included: bool
    lines: tuple[ListedLine, ...]
    lines_left_out: int = 0


def listings(run: DryRun) -> Iterator[Listing]:
    """The script, then what it included."""
    by_source: dict[Source | None, dict[int, list[TraceLine]]] = {}
    for line in run.trace.lines:
        by_source.setdefault(line.source, defaultdict(list))[line.line].append(line)
    main, *others = by_source.items() or [(None, {})]
    yield _listing(run.text, main[1], run, is_included=False)
    for source, lines in others:
        yield _listing(source.text if source else "", lines, None, is_included=True)


def _listing(
    text: str, traced: dict[int, list[TraceLine]], run: DryRun | None, *, is_included: bool
) -> Listing:
    errors: dict[int, list[str]] = defaultdict(list)
    warnings: dict[int, list[str]] = defaultdict(list)
    if run is not None:
        _place(errors, () if run.failed_elsewhere else run.errors)
        _place(warnings, run.warnings)
    texts = text.removesuffix("\n").split("\n")
    lines = []
    for number, line in enumerate(texts[:LINES_MAXIMUM], start=1):
        here = traced.get(number, [])
        steps = [one for one in here if one.kind is not Kind.COMMAND]
        lines.append(
            ListedLine(
                number,
                cut(line.rstrip("\r")),
                bool(here),
                tuple(Step(role_of(s).value, s.depth, told(s)) for s in steps[:STEPS_MAXIMUM]),
                max(0, len(steps) - STEPS_MAXIMUM),
                tuple(errors[number]) if number in errors else (),
                tuple(warnings[number]) if number in warnings else (),
            )
        )
    return Listing(is_included, tuple(lines), max(0, len(texts) - LINES_MAXIMUM))


def _place(found: dict[int, list[str]], errors: Sequence[ScriptError]) -> None:
    for error in errors:
        found[error.line].append(f"column {error.column}: {error.message}")
