"""CREATE, DELETE, RENAME and subscriptions (RFC 9051 §6.3.4-8; special uses: RFC 6154 §6)."""

from transport.imap.wire.commands.registry import parses
from transport.imap.wire.commands.types import (
    Command,
    Create,
    FolderCommand,
    Rename,
)
from transport.imap.wire.cursor import Cursor


@parses("CREATE")
def parse_create(cursor: Cursor, name: str) -> Command:
    cursor.space()
    folder = cursor.folder()
    uses: tuple[bytes, ...] = ()
    if not cursor.at_end:
        cursor.space()
        cursor.expect(b"(USE ")
        uses = cursor.flags(parenthesised=True)
        cursor.expect(b")")
    return Create(folder, tuple(use.decode("ascii") for use in uses))


@parses("DELETE", "SUBSCRIBE", "UNSUBSCRIBE")
def parse_folder_command(cursor: Cursor, name: str) -> Command:
    cursor.space()
    return FolderCommand(name, cursor.folder())


@parses("RENAME")
def parse_rename(cursor: Cursor, name: str) -> Command:
    cursor.space()
    source = cursor.folder()
    cursor.space()
    return Rename(source, cursor.folder())
