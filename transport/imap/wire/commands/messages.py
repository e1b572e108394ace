"""Commands about messages (RFC 9051 §6.4; MOVE: RFC 6851; CHANGEDSINCE, UNCHANGEDSINCE: RFC 7162 §3.1.3-4)."""

from transport.imap.wire.commands.registry import parses
from transport.imap.wire.commands.types import Command, Copy, Expunge, Fetch, Search, Store
from transport.imap.wire.cursor import Cursor, ImapSyntaxError
from transport.imap.wire.fetch_items import parse_fetch_items
from transport.imap.wire.search_keys import parse_search

SEARCH_RETURNS = frozenset(("MIN", "MAX", "ALL", "COUNT"))
STORE_MODES = ((b"+FLAGS", "add"), (b"-FLAGS", "remove"), (b"FLAGS", "replace"))


@parses("FETCH", "UID FETCH")
def parse_fetch(cursor: Cursor, name: str) -> Command:
    cursor.space()
    messages = cursor.sequence_set()
    cursor.space()
    items = parse_fetch_items(cursor)
    changed_since = None
    if not cursor.at_end:
        cursor.space()
        cursor.expect(b"(CHANGEDSINCE ")
        changed_since = cursor.number()
        cursor.expect(b")")
    return Fetch(messages, items, name.startswith("UID"), changed_since)


@parses("STORE", "UID STORE")
def parse_store(cursor: Cursor, name: str) -> Command:
    cursor.space()
    messages = cursor.sequence_set()
    cursor.space()
    unchanged_since = None
    if cursor.accept(b"(UNCHANGEDSINCE "):
        unchanged_since = cursor.number()
        cursor.expect(b")")
        cursor.space()
    mode = next((mode for text, mode in STORE_MODES if cursor.accept(text)), "")
    if not mode:
        raise ImapSyntaxError("FLAGS, +FLAGS or -FLAGS expected")
    silent = cursor.accept(b".SILENT")
    cursor.space()
    flags = cursor.flags(parenthesised=cursor.peek() == b"(")
    return Store(messages, mode, flags, silent, name.startswith("UID"), unchanged_since)


@parses("COPY", "MOVE", "UID COPY", "UID MOVE")
def parse_copy(cursor: Cursor, name: str) -> Command:
    cursor.space()
    messages = cursor.sequence_set()
    cursor.space()
    return Copy(name.removeprefix("UID "), messages, cursor.folder(), name.startswith("UID"))


@parses("EXPUNGE")
def parse_expunge(cursor: Cursor, name: str) -> Command:
    return Expunge(None)


@parses("UID EXPUNGE")
def parse_uid_expunge(cursor: Cursor, name: str) -> Command:
    cursor.space()
    return Expunge(cursor.sequence_set())


@parses("SEARCH", "UID SEARCH")
def parse_search_command(cursor: Cursor, name: str) -> Command:
    cursor.space()
    returns: tuple[str, ...] | None = None
    if cursor.accept(b"RETURN "):
        returns = cursor.words() or ("ALL",)
        if set(returns) - SEARCH_RETURNS:
            raise ImapSyntaxError("unknown search return option")
        cursor.space()
    return Search(parse_search(cursor), name.startswith("UID"), returns)
