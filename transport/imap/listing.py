"""Which names LIST, LSUB and XLIST tell, and with which attributes (RFC 9051 §6.3.9, RFC 5258, RFC 3501 §6.3.9). Pure.

Children and special uses are told unasked: Apple's Mail never asks for them, and Outlook wants them on LSUB too. XLIST
is Outlook's own. A level of the hierarchy that is no folder appears where a pattern ends in `%`, or where
RECURSIVEMATCH asks for it.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from accounts.mailstore.listing import Hierarchy, VisibleFolder
from accounts.mailstore.values import INBOX
from transport.imap.wire.commands.types import List
from transport.imap.wire.patterns import SEPARATOR, Patterns

XLIST_USES = {"\\Junk": "\\Spam", "\\Archive": "\\AllMail"}


@dataclass(frozen=True, slots=True)
class Listed:
    """One name. `is_chosen`: it meets the selection options itself, and is not there for what is below it alone."""

    name: str
    attributes: str
    folder: VisibleFolder | None
    is_chosen: bool
    child_info: tuple[str, ...]


def listing(command: List, known: Hierarchy, *, is_rev2: bool) -> Iterator[Listed]:
    """What a command shows, INBOX first, then by name. Raises TooManyPatterns."""
    patterns = Patterns(command.reference, command.patterns)
    criteria = _criteria(command)
    meeting = _meeting(criteria, known)
    chosen = {name for name in meeting if patterns.match(name)}
    tells_subscribed = "SUBSCRIBED" in command.selects | command.returns
    above = levels(meeting) if "RECURSIVEMATCH" in command.selects else set[str]()
    extra = _extra(command, patterns, known, meeting, chosen)
    parents = levels(known.folders)
    if command.name == "LSUB":
        parents |= extra
    for name in sorted(chosen | extra, key=lambda name: (name != INBOX, name)):
        folder = known.folders.get(name)
        is_chosen = name in chosen
        words = (
            _being(command, folder, is_chosen=is_chosen, is_rev2=is_rev2),
            "\\Subscribed" if tells_subscribed and name in known.subscribed else "",
            "\\HasChildren" if name in parents else "\\HasNoChildren",
            _use(command, name, folder),
        )
        attributes = " ".join(word for word in words if word)
        yield Listed(name, attributes, folder, is_chosen, criteria if name in above else ())


def _criteria(command: List) -> tuple[str, ...]:
    """The selection options that a name must meet; LSUB means the same as one of them."""
    if command.name == "LSUB":
        return ("SUBSCRIBED",)
    return tuple(word for word in ("SUBSCRIBED", "SPECIAL-USE") if word in command.selects)


def _meeting(criteria: tuple[str, ...], known: Hierarchy) -> Collection[str]:
    """The names that meet the criteria, whether a pattern matches or not."""
    names: Collection[str] = known.subscribed if "SUBSCRIBED" in criteria else known.folders
    if "SPECIAL-USE" in criteria:
        return [name for name in names if _special_use(known.folders.get(name))]
    return names


def _extra(
    command: List,
    patterns: Patterns,
    known: Hierarchy,
    meeting: Collection[str],
    chosen: Collection[str],
) -> set[str]:
    """Names that are shown for what is below them."""
    if "RECURSIVEMATCH" in command.selects:
        hidden = levels(name for name in meeting if name not in chosen)
        return {name for name in hidden if name not in chosen and patterns.match(name)}
    if command.name == "LSUB" or not _criteria(command):
        there = known.folders if command.name != "LSUB" else known.subscribed
        above = levels(meeting)
        return {name for name in above if name not in there and patterns.match_level(name)}
    return set()


def _being(command: List, folder: VisibleFolder | None, *, is_chosen: bool, is_rev2: bool) -> str:
    """Whether the folder is there and can be selected; the grammar allows one word (RFC 9051 §9, mbx-list-flags)."""
    if folder is None:  # \\NonExistent implies \\NoSelect to those who know it
        return "\\NonExistent" if command.is_extended or is_rev2 else "\\Noselect"
    is_selectable = folder.is_selectable and (is_chosen or command.name != "LSUB")
    return "" if is_selectable else "\\Noselect"


def _use(command: List, name: str, folder: VisibleFolder | None) -> str:
    use = _special_use(folder)
    if command.name != "XLIST":
        return use
    return "\\Inbox" if name == INBOX else XLIST_USES.get(use, use)


def _special_use(folder: VisibleFolder | None) -> str:
    """Of one's own folders only: a use is its owner's (RFC 6154 §2)."""
    return folder.state.special_use if folder is not None and folder.is_own else ""


def levels(names: Iterable[str]) -> set[str]:
    """All names above these."""
    found: set[str] = set()
    for name in names:
        end = name.rfind(SEPARATOR)
        while end > 0 and (parent := name[:end]) not in found:
            found.add(parent)
            end = name.rfind(SEPARATOR, 0, end)
    return found
