"""Commands about messages (RFC 9051 §6.4; MOVE: RFC 6851; CHANGEDSINCE, UNCHANGEDSINCE: RFC 7162 §3.1.3-4;
PARTIAL: RFC 9394 §3.3)."""

from transport.imap.wire.commands.registry import parses
from transport.imap.wire.commands.types import Command, Copy, Expunge, Fetch, Store
from transport.imap.wire.cursor import Cursor, ImapSyntaxError
from transport.imap.wire.fetch_items import parse_fetch_items
from transport.imap.wire.partial import parse_partial

STORE_MODES = ((b"+FLAGS", "add"), (b"-FLAGS", "remove"), (b"FLAGS", "replace"))


@parses("FETCH", "UID FETCH")
def parse_fetch(cursor: Cursor, name: str) -> Command:
    cursor.space()
    messages = cursor.sequence_set()
    cursor.space()
    items = parse_fetch_items(cursor)
    by_uid = name.startswith("UID")
    changed_since = None
    vanished = False
    partial = None
    if not cursor.at_end:
        cursor.space()
        cursor.expect(b"(")
        while True:  # fetch-modifiers (RFC 4466 §2.4)
            match cursor.keyword():
                case "CHANGEDSINCE":
                    cursor.space()
                    changed_since = cursor.number()
                case "VANISHED" if by_uid and cursor.modes.qresync:
                    vanished = True
                case "PARTIAL" if by_uid:
                    cursor.space()
                    partial = parse_partial(cursor)
                case _:
                    raise ImapSyntaxError("unknown modifier")
            if cursor.accept(b")"):
                break
            cursor.space()
        if vanished and changed_since is None:
            raise ImapSyntaxError("VANISHED goes with CHANGEDSINCE")
    return Fetch(messages, items, by_uid, changed_since, vanished, partial)


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
