"""APPEND and REPLACE (RFC 9051 §6.3.12; MULTIAPPEND: RFC 3502; REPLACE: RFC 8508; literal8: RFC 3516 §4.4; UTF8: RFC
6855 §4)."""

from transport.imap.wire.commands.registry import parses
from transport.imap.wire.commands.types import Append, Command, Replace, Upload
from transport.imap.wire.cursor import Cursor, ImapSyntaxError
from transport.imap.wire.dates import parse_date_time

UPLOADS_MAXIMUM = 1000
"""Messages in one APPEND: all are stored in one transaction, during which no other mail comes in."""


@parses("APPEND")
def parse_append(cursor: Cursor, name: str) -> Command:
    """append = "APPEND" SP mailbox 1*append-message"""
    cursor.space()
    folder = cursor.folder()
    uploads = [_upload(cursor)]
    while not cursor.at_end:
        uploads.append(_upload(cursor))
        if len(uploads) > UPLOADS_MAXIMUM:
            raise ImapSyntaxError("too many messages")
    return Append(folder, tuple(uploads))


@parses("REPLACE", "UID REPLACE")
def parse_replace(cursor: Cursor, name: str) -> Command:
    """replace = "REPLACE" SP seq-number SP mailbox append-message"""
    cursor.space()
    message = cursor.sequence_set()
    if len(message.ranges) != 1 or message.ranges[0][0] != message.ranges[0][1]:
        raise ImapSyntaxError("one message expected")
    cursor.space()
    folder = cursor.folder()
    return Replace(message, name.startswith("UID"), folder, _upload(cursor))


def _upload(cursor: Cursor) -> Upload:
    """append-message = [SP flag-list] [SP date-time] SP append-data"""
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
    # utf8-literal = "UTF8" SP "(" literal8 ")"
    is_utf8 = cursor.accept(b"UTF8 (")
    if is_utf8 and cursor.peek() != b"~":
        raise ImapSyntaxError("literal8 expected")
    content = cursor.literal()
    if is_utf8:
        cursor.expect(b")")
    return Upload(flags, internal_date, content, is_utf8)
