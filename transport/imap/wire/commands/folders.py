"""Commands about folders (RFC 9051 §6.3; LSUB: RFC 3501 §6.3.9)."""

from transport.imap.wire.commands.registry import parses
from transport.imap.wire.commands.types import (
    Command,
    FolderCommand,
    List,
    Rename,
    Status,
)
from transport.imap.wire.cursor import Cursor, ImapSyntaxError

STATUS_ITEMS = frozenset(
    ("MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "DELETED", "SIZE", "HIGHESTMODSEQ")
)


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
