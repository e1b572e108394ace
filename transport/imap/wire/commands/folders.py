"""Commands about folders (RFC 9051 §6.3; LSUB: RFC 3501 §6.3.9; CONDSTORE's parameter: RFC 7162 §3.1.8)."""

from transport.imap.wire.commands.registry import parses
from transport.imap.wire.commands.types import (
    Append,
    Command,
    FolderCommand,
    List,
    Rename,
    Select,
    Status,
)
from transport.imap.wire.cursor import Cursor, ImapSyntaxError
from transport.imap.wire.dates import parse_date_time

STATUS_ITEMS = frozenset(
    ("MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "DELETED", "SIZE", "HIGHESTMODSEQ")
)


@parses("SELECT", "EXAMINE")
def parse_select(cursor: Cursor, name: str) -> Command:
    cursor.space()
    folder = cursor.folder()
    condstore = False
    if not cursor.at_end:
        cursor.space()
        parameters = cursor.words()
        if set(parameters) - {"CONDSTORE"}:
            raise ImapSyntaxError("unknown parameter")
        condstore = bool(parameters)
    return Select(folder, name == "EXAMINE", condstore)


@parses("CREATE", "DELETE", "SUBSCRIBE", "UNSUBSCRIBE")
def parse_folder_command(cursor: Cursor, name: str) -> Command:
    cursor.space()
    return FolderCommand(name, cursor.folder())


@parses("RENAME")
def parse_rename(cursor: Cursor, name: str) -> Command:
    cursor.space()
    source = cursor.folder()
    cursor.space()
    return Rename(source, cursor.folder())


@parses("LIST", "LSUB", "XLIST")
def parse_list(cursor: Cursor, name: str) -> Command:
    """SPECIAL-USE as a selection and a return option is understood without LIST-EXTENDED (RFC 6154 §3): clients ask."""
    cursor.space()
    only_special = False
    if cursor.peek() == b"(":
        only_special = "SPECIAL-USE" in _options(cursor, {"SPECIAL-USE"})
        cursor.space()
    reference = cursor.list_pattern()
    cursor.space()
    pattern = cursor.list_pattern()
    if not cursor.at_end:
        cursor.space()
        cursor.expect(b"RETURN ")
        _options(cursor, {"SPECIAL-USE", "CHILDREN"})  # told always
    return List(name, reference, (pattern,), only_special)


def _options(cursor: Cursor, known: set[str]) -> tuple[str, ...]:
    options = cursor.words()
    if set(options) - known:
        raise ImapSyntaxError("unknown option")
    return options


@parses("STATUS")
def parse_status(cursor: Cursor, name: str) -> Command:
    cursor.space()
    folder = cursor.folder()
    cursor.space()
    items = cursor.words()
    if not items or set(items) - STATUS_ITEMS:
        raise ImapSyntaxError("unknown status item" if items else "no status items")
    return Status(folder, items)


@parses("APPEND")
def parse_append(cursor: Cursor, name: str) -> Command:
    cursor.space()
    folder = cursor.folder()
    cursor.space()
    flags: tuple[bytes, ...] = ()
    if cursor.peek() == b"(":
        flags = cursor.flags(parenthesised=True)
        cursor.space()
    internal_date = None
    if cursor.peek() == b'"':
        internal_date = parse_date_time(cursor.string())
        if internal_date is None:
            raise ImapSyntaxError("bad date-time")
        cursor.space()
    if cursor.peek() == b"~":
        raise ImapSyntaxError("literal8 without BINARY")
    return Append(folder, flags, internal_date, cursor.literal())
