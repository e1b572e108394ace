"""NOTIFY (RFC 5465 §3.1, §8), pure.

The events of a group may stand without their parentheses, as they do in the RFC's own examples (§3.1).
"""

from transport.imap.wire.commands.registry import parses
from transport.imap.wire.commands.types import Command, EventGroup, Notify
from transport.imap.wire.cursor import Cursor, ImapSyntaxError
from transport.imap.wire.fetch_items import FetchItem, parse_fetch_items

SELECTED_SCOPES = frozenset(("SELECTED", "SELECTED-DELAYED"))
NAMED_SCOPES = frozenset(("SUBTREE", "MAILBOXES"))
SCOPES = SELECTED_SCOPES | NAMED_SCOPES | {"INBOXES", "PERSONAL", "SUBSCRIBED"}
GROUPS_MAXIMUM = 20
NAMES_MAXIMUM = 1000

MESSAGE_EVENTS = frozenset(("MESSAGENEW", "MESSAGEEXPUNGE", "FLAGCHANGE", "ANNOTATIONCHANGE"))
_PAIR = {"MESSAGENEW", "MESSAGEEXPUNGE"}


@parses("NOTIFY")
def parse_notify(cursor: Cursor, name: str) -> Command:
    cursor.space()
    if cursor.accept(b"NONE"):
        return Notify((), with_status=False)
    cursor.expect(b"SET ")
    with_status = cursor.accept(b"STATUS ")
    groups = [_group(cursor)]
    while not cursor.at_end:
        cursor.space()
        groups.append(_group(cursor))
        if len(groups) > GROUPS_MAXIMUM:
            raise ImapSyntaxError("too many groups")
    if sum(group.scope in SELECTED_SCOPES for group in groups) > 1:
        raise ImapSyntaxError("the selected folder twice")
    return Notify(tuple(groups), with_status)


def _group(cursor: Cursor) -> EventGroup:
    """event-group = "(" filter-mailboxes SP events ")" """
    cursor.expect(b"(")
    scope = cursor.keyword()
    if scope not in SCOPES:
        raise ImapSyntaxError("unknown folders")
    cursor.space()
    names: frozenset[str] = frozenset()
    if scope in NAMED_SCOPES:
        names = _names(cursor)
        cursor.space()
    events, items = _events(cursor)
    cursor.expect(b")")
    _check(scope, events, items)
    return EventGroup(scope, names, events, items)


def _names(cursor: Cursor) -> frozenset[str]:
    """one-or-more-mailbox"""
    if not cursor.accept(b"("):
        return frozenset((cursor.folder(),))
    names = [cursor.folder()]
    while not cursor.accept(b")"):
        cursor.space()
        names.append(cursor.folder())
        if len(names) > NAMES_MAXIMUM:
            raise ImapSyntaxError("too many folders")
    return frozenset(names)


def _events(cursor: Cursor) -> tuple[frozenset[str], tuple[FetchItem, ...]]:
    """events = ( "(" event *(SP event) ")" ) / "NONE" """
    is_parenthesised = cursor.accept(b"(")
    events: list[str] = []
    items: tuple[FetchItem, ...] = ()
    while True:
        events.append(cursor.keyword())
        if events[-1] == "MESSAGENEW" and cursor.buffer.startswith(b" (", cursor.position):
            cursor.space()
            items = parse_fetch_items(cursor)
        if cursor.peek() == b")":
            break
        cursor.space()
    if is_parenthesised:
        cursor.expect(b")")
    if events == ["NONE"] and not is_parenthesised:
        return frozenset(), ()
    return frozenset(events), items


def _check(scope: str, events: frozenset[str], items: tuple[FetchItem, ...]) -> None:
    """§5, §6.1, §8"""
    about_messages = events & MESSAGE_EVENTS
    if about_messages and not about_messages >= _PAIR:
        raise ImapSyntaxError("MessageNew and MessageExpunge go together, and before other events")
    if scope in SELECTED_SCOPES and events - MESSAGE_EVENTS:
        raise ImapSyntaxError("only message events are for the selected folder")
    if items and scope not in SELECTED_SCOPES:
        raise ImapSyntaxError("fetch items are for the selected folder")
