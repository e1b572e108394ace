"""A dry run as lines of text, each with the role it plays: whoever prints them chooses the colours. Pure."""

from collections.abc import Iterator, Sequence
from enum import Enum
from unicodedata import east_asian_width

from routing.dry_run.running import DryRun
from routing.sieve.errors import ScriptError
from routing.sieve.lexer import Source
from routing.sieve.message import Message
from routing.sieve.trace import Kind, TraceLine
from routing.sieve.wording import in_words

WIDTH = 100  # of a line of a script that is shown


class Role(Enum):
    """What a line is, for its colour."""

    HEAD = "head"
    SCRIPT = "script"
    TRUE = "true"
    FALSE = "false"
    ACTION = "action"
    NOTE = "note"
    ERROR = "error"


Line = tuple[Role, str]


def trace_report(run: DryRun) -> Iterator[Line]:
    """The lines of the script as they ran, and below each what was found."""
    texts = _Texts(run.text)
    place: tuple[int, Source | None] | None = None
    main = next((line.source for line in run.trace.lines), None)
    for line in run.trace.lines:
        here = line.line, line.source
        if here != place:
            if place is not None and line.source is not place[1]:
                where = "back in the script" if line.source is main else "in an included script"
                yield Role.HEAD, f"     -- {where} --"
            place = here
            text = texts.line(line.line, None if line.source is main else line.source)
            yield Role.SCRIPT, f"{line.line:>4} | {cut(text)}".rstrip()
        if line.kind is not Kind.COMMAND:
            yield role_of(line), f"     {'  ' * line.depth}  {told(line)}"
    if run.trace.is_cut:
        yield Role.NOTE, "     (the trace is longer than what is kept of it)"


def told(line: TraceLine) -> str:
    """What a line of the trace says, without its place."""
    match line.kind:
        case Kind.TEST:
            answers = {True: "true", False: "false", None: "failed"}
            return f"{line.text} is {answers[line.holds]}"
        case Kind.ACTION:
            return f"-> {line.text}"
        case Kind.ERROR:
            return f"error: {line.text}"
    return line.text


def role_of(line: TraceLine) -> Role:
    match line.kind:
        case Kind.ACTION:
            return Role.ACTION
        case Kind.ERROR:
            return Role.ERROR
        case Kind.TEST | Kind.COMPARISON:
            return Role.TRUE if line.holds else Role.FALSE
    return Role.NOTE


def outcome(run: DryRun, before: Message) -> Iterator[Line]:
    """What would be done, in its order. `before` is the message as the script got it."""
    result = run.result
    if result is None:
        return
    if result.error:
        where = " of a script that it includes" if run.failed_elsewhere else ""
        place = f"line {result.error.line}, column {result.error.column}{where}"
        yield Role.ERROR, f"the script failed in {place}: {result.error.message}"
    for action in result.actions:
        yield Role.ACTION, in_words(action)
    if result.message is not before:
        yield Role.NOTE, "the message itself is changed by the script"
    for memory in result.memories:
        yield Role.NOTE, f"{memory.kind}: remembered for {_duration(memory.seconds)}"


def error_report(
    name: str, text: str, errors: Sequence[ScriptError], *, is_warning: bool = False
) -> Iterator[Line]:
    """`name:line:column: message`, as compilers tell it, with the line and a caret below the place."""
    texts = _Texts(text)
    for error in errors:
        what = "warning: " if is_warning else ""
        yield (
            Role.NOTE if is_warning else Role.ERROR,
            f"{name}:{error.line}:{error.column}: {what}{error.message}",
        )
        line = texts.line(error.line)
        start = max(0, error.column - 1 - WIDTH // 2)
        yield Role.SCRIPT, f"    {cut(line, start)}".rstrip()
        yield Role.SCRIPT, f"    {_blank(line[start : error.column - 1])}^"


def cut(line: str, start: int = 0) -> str:
    """A line of a script for the terminal: bounded, and without control characters."""
    shown = line[start : start + WIDTH]
    return "".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in shown)


def _blank(text: str) -> str:
    """As wide as `text` is on a terminal; tabs stay, since they are as wide as where they stand."""
    return "".join(
        "\t" if c == "\t" else "  " if east_asian_width(c) in "WF" else " " for c in text
    )


def _duration(seconds: int) -> str:
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds} seconds"


class _Texts:
    """The lines of the script, and of those it includes."""

    def __init__(self, text: str) -> None:
        self._main = text.split("\n")
        self._others: dict[Source, list[str]] = {}

    def line(self, number: int, source: Source | None = None) -> str:
        lines = self._main
        if source is not None:
            lines = self._others.setdefault(source, source.text.split("\n"))
        return lines[number - 1].rstrip("\r") if number <= len(lines) else ""
