"""Commands about the session itself (RFC 9051 §6.1, §6.2, §6.4.1-3; ID: RFC 2971; ENABLE: RFC 5161; COMPRESS: RFC 4978;
UNAUTHENTICATE: RFC 8437)."""

from transport.imap.wire.commands.registry import parses
from transport.imap.wire.commands.types import (
    Authenticate,
    Command,
    Compress,
    Enable,
    Id,
    Login,
    Plain,
)
from transport.imap.wire.cursor import Cursor, ImapSyntaxError
from transport.sasl.steps import SaslError, decode_response

ID_FIELDS_MAXIMUM = 30


@parses(
    "CAPABILITY",
    "NOOP",
    "LOGOUT",
    "NAMESPACE",
    "CHECK",
    "CLOSE",
    "UNSELECT",
    "IDLE",
    "STARTTLS",
    "UNAUTHENTICATE",
)
def parse_plain(cursor: Cursor, name: str) -> Command:
    return Plain(name)


@parses("LOGIN")
def parse_login(cursor: Cursor, name: str) -> Command:
    cursor.space()
    user = cursor.astring()
    cursor.space()
    return Login(user, cursor.astring())


@parses("AUTHENTICATE")
def parse_authenticate(cursor: Cursor, name: str) -> Command:
    cursor.space()
    mechanism = cursor.keyword()
    if cursor.at_end:
        return Authenticate(mechanism, None)
    cursor.space()
    word = cursor.buffer[cursor.position :].rstrip(b" ")
    cursor.position = len(cursor.buffer)
    try:
        return Authenticate(mechanism, decode_response(word))
    except SaslError as error:
        raise ImapSyntaxError(str(error)) from None


@parses("ID")
def parse_id(cursor: Cursor, name: str) -> Command:
    cursor.space()
    if cursor.accept(b"NIL"):
        return Id(())
    fields: list[tuple[bytes, bytes | None]] = []
    cursor.expect(b"(")
    while not cursor.accept(b")"):
        if fields:
            cursor.space()
        field = cursor.string()
        cursor.space()
        fields.append((field, cursor.nstring()))
        if len(fields) > ID_FIELDS_MAXIMUM:
            raise ImapSyntaxError("too many ID fields")
    return Id(tuple(fields))


@parses("ENABLE")
def parse_enable(cursor: Cursor, name: str) -> Command:
    capabilities = []
    while not cursor.at_end:
        cursor.space()
        capabilities.append(cursor.keyword())
    if not capabilities:
        raise ImapSyntaxError("capability expected")
    return Enable(tuple(capabilities))


@parses("COMPRESS")
def parse_compress(cursor: Cursor, name: str) -> Command:
    cursor.space()
    return Compress(cursor.keyword())
