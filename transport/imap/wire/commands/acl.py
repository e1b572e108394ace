"""Commands about rights (RFC 4314 §3)."""

import re

from transport.imap.wire.commands.registry import parses
from transport.imap.wire.commands.types import Command, FolderCommand, ListRights, SetAcl
from transport.imap.wire.cursor import Cursor, ImapSyntaxError

RIGHTS = "lrswipkxtea"
IDENTIFIER_MAXIMUM = 400
"""Octets: more than an address has."""

_MEMBERS = {"c": "kx", "d": "et"}  # RFC 4314 §2.1.1
_RIGHTS = re.compile(rb"([+-]?)([a-z0-9]*)")
_MODES = {b"": "replace", b"+": "add", b"-": "remove"}


@parses("GETACL", "MYRIGHTS")
def parse_folder(cursor: Cursor, name: str) -> Command:
    cursor.space()
    return FolderCommand(name, cursor.folder())


@parses("SETACL")
def parse_set_acl(cursor: Cursor, name: str) -> Command:
    cursor.space()
    folder = cursor.folder()
    cursor.space()
    identifier, _ = _identifier(cursor)
    cursor.space()
    mode, rights = _rights(cursor.astring())
    return SetAcl(folder, identifier, mode, rights)


@parses("DELETEACL")
def parse_delete_acl(cursor: Cursor, name: str) -> Command:
    cursor.space()
    folder = cursor.folder()
    cursor.space()
    return SetAcl(folder, _identifier(cursor)[0], "replace", "")


@parses("LISTRIGHTS")
def parse_list_rights(cursor: Cursor, name: str) -> Command:
    cursor.space()
    folder = cursor.folder()
    cursor.space()
    return ListRights(folder, *_identifier(cursor))


def _identifier(cursor: Cursor) -> tuple[str, bytes]:
    """As text, and as it was sent."""
    sent = cursor.astring()
    if not sent or len(sent) > IDENTIFIER_MAXIMUM:
        raise ImapSyntaxError("bad identifier")
    try:
        return sent.decode("utf-8"), sent
    except UnicodeDecodeError:
        raise ImapSyntaxError("identifier is no UTF-8") from None


def _rights(text: bytes) -> tuple[str, str]:
    """The mode, and the rights with `c` and `d` replaced by what they mean."""
    match = _RIGHTS.fullmatch(text)
    if match is None:
        raise ImapSyntaxError("rights are lower-case letters")
    rights = match[2].decode("ascii")
    for old, members in _MEMBERS.items():
        rights = rights.replace(old, members)
    unknown = set(rights) - set(RIGHTS)
    if unknown:
        raise ImapSyntaxError(f"the right {min(unknown)} is not supported")
    return _MODES[match[1]], "".join(right for right in RIGHTS if right in rights)
