"""What of two states of a mailbox a client wants to hear, by its NOTIFY (RFC 5465 §5, §6), pure.

States are compared, not events collected: what came and went between two looks is not told, and nothing piles up for a
client that does not listen.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from accounts.mailstore.listing import Hierarchy, VisibleFolder
from accounts.mailstore.values import FolderId, FolderState
from transport.imap.listing import levels
from transport.imap.wire.commands.types import EventGroup
from transport.imap.wire.patterns import SEPARATOR

SUPPORTED = {
    name.upper(): name
    for name in (
        "MessageNew",
        "MessageExpunge",
        "FlagChange",
        "MailboxName",
        "SubscriptionChange",
        "MailboxMetadataChange",
        "ServerMetadataChange",
    )
}
METADATA_EVENTS = frozenset(("MAILBOXMETADATACHANGE", "SERVERMETADATACHANGE"))

Annotations = Mapping[tuple[FolderId | None, str], str]
"""What stands at each entry of each folder, or of the server."""


@dataclass(frozen=True, slots=True)
class NameNews:
    """LIST: of a name that came, went or changed, or whose subscription did."""

    name: str
    old_name: str = ""


@dataclass(frozen=True, slots=True)
class MetadataNews:
    """METADATA: entries that changed; the name "" is the server."""

    name: str
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatusNews:
    """STATUS with these items."""

    name: str
    state: FolderState
    items: tuple[str, ...]


def events_for(groups: Iterable[EventGroup], name: str, known: Hierarchy) -> frozenset[str]:
    """The events that are wanted of a folder which is not selected: of all groups that name it (§6)."""
    wanted: set[str] = set()
    for group in groups:
        if group.events and _covers(group, name, known):
            wanted |= group.events
    return frozenset(wanted)


def _covers(group: EventGroup, name: str, known: Hierarchy) -> bool:
    match group.scope:
        case "PERSONAL" | "INBOXES":  # mail may be filed anywhere (§6.3)
            folder = known.folders.get(name)
            return folder is None or folder.is_own
        case "SUBSCRIBED":
            return name in known.subscribed
        case "SUBTREE":
            return name in group.names or not group.names.isdisjoint(levels([name]))
        case "MAILBOXES":
            return name in group.names
    return False


def name_news(
    groups: Sequence[EventGroup], before: Hierarchy, after: Hierarchy
) -> Iterator[NameNews]:
    """MailboxName and SubscriptionChange (§5.4-5)."""
    old_names = {folder.state.id: name for name, folder in before.folders.items()}
    new_names = {folder.state.id: name for name, folder in after.folders.items()}
    renamed = {
        old: new_names[id_]
        for id_, old in old_names.items()
        if id_ in new_names and new_names[id_] != old
    }
    affected: dict[str, NameNews] = {}
    for old, new in renamed.items():
        if not _follows_parent(old, new, renamed):
            affected[new] = NameNews(new, old)
    came = [name for id_, name in new_names.items() if id_ not in old_names]
    gone = [
        name
        for id_, name in old_names.items()
        if id_ not in new_names and name not in after.folders
    ]
    for name in (*came, *gone):
        for each in (name, name.rpartition(SEPARATOR)[0]):  # its parent has children now, or none
            if each:
                affected.setdefault(each, NameNews(each))
    for news in affected.values():
        both = events_for(groups, news.name, after) | events_for(groups, news.name, before)
        if "MAILBOXNAME" in both:
            yield news
    for name in sorted(before.subscribed ^ after.subscribed):
        both = events_for(groups, name, after) | events_for(groups, name, before)
        if "SUBSCRIPTIONCHANGE" in both:
            yield NameNews(name)


def _follows_parent(old: str, new: str, renamed: dict[str, str]) -> bool:
    """Whether a name changed only because one above it did."""
    end = old.rfind(SEPARATOR)
    while end > 0:
        top = renamed.get(old[:end])
        if top is not None:
            return new == top + old[end:]
        end = old.rfind(SEPARATOR, 0, end)
    return False


def status_news(
    groups: Sequence[EventGroup],
    before: Hierarchy,
    after: Hierarchy,
    selected: FolderId | None,
    *,
    condstore: bool,
) -> Iterator[StatusNews]:
    """MessageNew, MessageExpunge and FlagChange in folders that are not selected (§5.1-3)."""
    known = {folder.state.id: folder.state for folder in before.folders.values()}
    for name, folder in after.folders.items():
        state = folder.state
        old = known.get(state.id)
        if old is state or state.id == selected or not folder.is_selectable or old == state:
            continue
        items = _changed_items(events_for(groups, name, after), old, state, condstore=condstore)
        if items:
            yield StatusNews(name, state, items)


def _changed_items(
    events: frozenset[str], old: FolderState | None, new: FolderState, *, condstore: bool
) -> tuple[str, ...]:
    items: dict[str, None] = {}
    old_counts = (old.uid_validity, old.uid_next, old.message_count) if old else (0, 1, 0)
    if old is None:
        old_counts = (new.uid_validity, 1, 0)
    if "MESSAGENEW" in events and old_counts != (
        new.uid_validity,
        new.uid_next,
        new.message_count,
    ):
        items |= dict.fromkeys(("MESSAGES", "UIDNEXT"))
        if old_counts[0] != new.uid_validity:
            items["UIDVALIDITY"] = None
        if condstore:
            items["HIGHESTMODSEQ"] = None
    if "FLAGCHANGE" in events and old is not None:
        if condstore and old.highest_modseq != new.highest_modseq:
            items |= dict.fromkeys(("UIDVALIDITY", "HIGHESTMODSEQ"))
        if old.unseen_count != new.unseen_count:
            items |= dict.fromkeys(("UIDVALIDITY", "UNSEEN"))
    return tuple(items)


def metadata_news(
    groups: Sequence[EventGroup], before: Annotations, after: Annotations, known: Hierarchy
) -> Iterator[MetadataNews]:
    """MailboxMetadataChange and ServerMetadataChange (§5.6-7)."""
    entries: dict[FolderId | None, list[str]] = {}
    for place, entry in sorted(
        (key for key in before.keys() | after.keys() if before.get(key) != after.get(key)),
        key=lambda key: (key[0] or 0, key[1]),
    ):
        entries.setdefault(place, []).append(entry)
    if None in entries and any("SERVERMETADATACHANGE" in group.events for group in groups):
        yield MetadataNews("", tuple(entries[None]))
    for name, folder in known.folders.items():
        changed = entries.get(folder.state.id)
        if changed and "MAILBOXMETADATACHANGE" in events_for(groups, name, known):
            yield MetadataNews(name, tuple(changed))


def first_status(groups: Sequence[EventGroup], known: Hierarchy) -> Iterator[StatusNews]:
    """What NOTIFY SET STATUS tells of each folder with message events (§3.1)."""
    for name, folder in known.folders.items():
        events = events_for(groups, name, known)
        items = ["MESSAGES", "UIDNEXT", "UIDVALIDITY"] if "MESSAGENEW" in events else []
        if "FLAGCHANGE" in events:
            items.append("HIGHESTMODSEQ")
        if items and folder.is_selectable:
            yield StatusNews(name, folder.state, tuple(items))


def attributes(name: str, known: Hierarchy, parents: Set[str]) -> str:
    """Of LIST: what the name is now; `parents` are `levels(known.folders)`."""
    folder: VisibleFolder | None = known.folders.get(name)
    words = []
    if folder is None:
        words.append("\\NonExistent")
    elif not folder.is_selectable:
        words.append("\\NoAccess")
    if name in known.subscribed:
        words.append("\\Subscribed")
    words.append("\\HasChildren" if name in parents else "\\HasNoChildren")
    if folder is not None and folder.is_own and folder.state.special_use:
        words.append(folder.state.special_use)
    return " ".join(words)
