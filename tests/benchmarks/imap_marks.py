"""The lines of the IMAP table: which of the driver's figures each shows, and the mark that it must meet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


class Against(Enum):
    """What ours is divided by."""

    BEST = "better of two"
    MAILDIR = "Maildir"
    NOTHING = "-"  # the mark is a figure of its own, or there is none


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `at_least`: more is better, and the mark is a floor. No mark: the figure is there to be known."""

    work: str
    value: str
    unit: str
    mark: float | None
    against: Against = Against.BEST
    at_least: bool = False


def _ms(work: str, value: str, mark: float | None, against: Against = Against.BEST) -> Line:
    return Line(work, value, "ms", mark, against)


LINES = (
    _ms("login and SELECT: the SELECT", "select.warm", 2),
    _ms("STATUS of 100 folders", "status_100_folders.warm", 2),
    _ms("LIST-STATUS", "list_status.warm", 2),
    _ms("page of the last 50", "page50_last.warm", 2),
    _ms("FETCH 1:* (UID FLAGS)", "fetch_flags_all.warm", 1.5),
    _ms("10,000 ENVELOPE BODYSTRUCTURE, first", "fetch_env_10k.first", 0.7),
    _ms("10,000 ENVELOPE BODYSTRUCTURE, warm", "fetch_env_10k.warm", 0.7),
    _ms("1,000 bodies", "fetch_body_1k.warm", 1.5),
    _ms("SORT DATE, first", "sort_date_all.first", 0.5),
    _ms("SORT DATE, warm", "sort_date_all.warm", 1),
    _ms("SORT SUBJECT, first", "sort_subject_all.first", 0.5),
    _ms("SORT SUBJECT, warm", "sort_subject_all.warm", 1),
    _ms("THREAD REFERENCES, first", "thread_refs_all.first", 0.5),
    _ms("THREAD REFERENCES, warm", "thread_refs_all.warm", 1),
    _ms("SEARCH SUBJECT", "search_subject_all.warm", 0.3),
    _ms("SEARCH FROM", "search_from_all.warm", 0.3),
    _ms("SEARCH BODY in 10,000", "search_body_10k.warm", 0.3),
    _ms("SEARCH TEXT", "search_text_all.warm", 0.3),
    _ms("STORE +FLAGS of 10,000", "store_10k.warm", 1, Against.MAILDIR),
    _ms("COPY of 1,000", "copy_1k.warm", 1, Against.MAILDIR),
    _ms("MOVE of 1,000", "move_1k.warm", 1, Against.MAILDIR),
    _ms("EXPUNGE of 1,000", "expunge_1k.first", 1, Against.MAILDIR),
    _ms("QRESYNC after 10 changes", "resync_10_changes.warm", 1),
    Line("APPEND, 8 clients", "append.rate", "/s", 1, Against.MAILDIR, at_least=True),
    Line("logins over TLS, 8 clients", "login.rate", "/s", 1.5, Against.BEST, at_least=True),
    Line("500 users' first logins", "cold.rate", "/s", None),
    _ms("known ones' logins meanwhile, p50", "cold.known_p50", None),
    _ms("known ones' logins meanwhile, p99", "cold.known_p99", None),
    Line("IDLE: a connection", "idle.kb", "KB", 60, Against.NOTHING),
    Line("IDLE after an APPEND of 500 KB each", "heavy_idle.kb", "KB", 60, Against.NOTHING),
    _ms("IDLE: notice, p50", "idle.notify", 10, Against.NOTHING),
    Line("mixed load, 20 clients", "mixed.rate", "ops/s", 1, Against.MAILDIR, at_least=True),
    Line("CPU of an APPEND", "append.cpu", "ms", None),
    Line("CPU of a login", "login.cpu", "ms", None),
    Line("CPU of an operation of the mixed load", "mixed.cpu", "ms", None),
)


def table(lines: Sequence[Line], medians: Mapping[str, Mapping[str, float]]) -> str:
    """The table in Markdown, by the targets `mailsite`, `maildir` and `mdbox`."""
    rows = [
        "| Work | Mailsite | Maildir | mdbox | ours : theirs | mark | | CPU, ours : theirs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for line in lines:
        own, maildir, mdbox = _of_three(medians, line.value)
        if own is None and maildir is None and mdbox is None:
            continue
        ratio = _ratio(line, own, maildir, mdbox)
        cells = " | ".join(_cell(value) for value in (own, maildir, mdbox))
        shown = "-" if ratio is None or line.against is Against.NOTHING else f"{ratio:.2f}"
        rows.append(
            f"| {line.work}, {line.unit} | {cells} | {shown} | {_mark(line)} | {_met(line, ratio)} | {_cpu(line, medians)} |"
        )
    return "\n".join(rows)


def _of_three(medians: Mapping[str, Mapping[str, float]], value: str) -> list[float | None]:
    return [medians.get(name, {}).get(value) for name in ("mailsite", "maildir", "mdbox")]


def _cpu(line: Line, medians: Mapping[str, Mapping[str, float]]) -> str:
    """The same of the CPU time of all repetitions, which a loaded machine changes less."""
    name, _, kind = line.value.partition(".")
    if kind not in ("first", "warm"):
        return ""
    ratio = _ratio(line, *_of_three(medians, f"{name}.cpu"))
    return "" if ratio is None else f"{ratio:.2f}"


def _ratio(
    line: Line, own: float | None, maildir: float | None, mdbox: float | None
) -> float | None:
    """What is held against the mark; None when it was not measured."""
    if own is None or line.against is Against.NOTHING:
        return own
    theirs = [maildir] if line.against is Against.MAILDIR else [maildir, mdbox]
    known = [value for value in theirs if value]
    if not known:
        return None
    more_is_better = line.at_least or line.unit.endswith("/s")
    return own / (max(known) if more_is_better else min(known))


def _mark(line: Line) -> str:
    if line.mark is None:
        return "-"
    bound = f"{'≥' if line.at_least else '≤'} {line.mark:g}"
    return f"{bound} {line.unit}" if line.against is Against.NOTHING else bound


def _met(line: Line, ratio: float | None) -> str:
    if line.mark is None or ratio is None:
        return ""
    return "met" if (ratio >= line.mark if line.at_least else ratio <= line.mark) else "**missed**"


def _cell(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
