"""GETMETADATA and SETMETADATA (RFC 5464 §5).

The grammar has GETMETADATA's options before the folder, the examples after it (§4.2.1): both are understood, and so are
entries without parentheses (§4.4.1).
"""

import re

from transport.imap.wire.commands.registry import parses
from transport.imap.wire.commands.types import Command, GetMetadata, SetMetadata
from transport.imap.wire.cursor import Cursor, ImapSyntaxError

NAME_MAXIMUM = 500

_OPTIONS = re.compile(rb"\( *(MAXSIZE|DEPTH) ", re.IGNORECASE)
_DEPTHS = {"0": 0, "1": 1, "INFINITY": None}
# Two components at least, none empty; nothing but printable ASCII without the wildcards (§3.2)
_ENTRY = re.compile(r"/(?:private|shared)(?:/[!-$&-)+-.0-~ ]+)*")


@parses("GETMETADATA")
def parse_get_metadata(cursor: Cursor, name: str) -> Command:
    cursor.space()
    options: dict[str, str] = {}
    if cursor.peek() == b"(":
        options = _options(cursor)
        cursor.space()
    folder = _folder(cursor)
    cursor.space()
    if _OPTIONS.match(cursor.buffer, cursor.position):
        options |= _options(cursor)
        cursor.space()
    entries = cursor.parenthesised(lambda: _entry(cursor)) if cursor.peek() == b"(" else []
    while not entries or not cursor.at_end:
        if entries:
            cursor.space()
        entries.append(_entry(cursor))
    max_size = options.get("MAXSIZE")
    depth = options.get("DEPTH", "0")
    if depth not in _DEPTHS or not (max_size or "0").isdecimal():
        raise ImapSyntaxError("bad option")
    return GetMetadata(
        folder,
        tuple(dict.fromkeys(entries)),
        None if max_size is None else int(max_size),
        _DEPTHS[depth],
    )


@parses("SETMETADATA")
def parse_set_metadata(cursor: Cursor, name: str) -> Command:
    cursor.space()
    folder = _folder(cursor)
    cursor.space()

    def value() -> tuple[str, bytes | None]:
        entry = _entry(cursor)
        if entry.count("/") < 2:
            raise ImapSyntaxError("entry expected")
        cursor.space()
        return entry, cursor.nstring()

    values = cursor.parenthesised(value)
    if not values:
        raise ImapSyntaxError("entry expected")
    return SetMetadata(folder, tuple(values))


def _folder(cursor: Cursor) -> str:
    """A folder's name; "" is the server."""
    name = cursor.folder()
    return "" if name == "/" else name


def _entry(cursor: Cursor) -> str:
    name = cursor.astring().decode("ascii", "replace").lower()
    if len(name) > NAME_MAXIMUM or not _ENTRY.fullmatch(name):
        raise ImapSyntaxError("bad entry name")
    return name


def _options(cursor: Cursor) -> dict[str, str]:
    def option() -> tuple[str, str]:
        name = cursor.keyword()
        if name not in ("MAXSIZE", "DEPTH"):
            raise ImapSyntaxError("unknown option")
        cursor.space()
        return name, cursor.keyword()

    return dict(cursor.parenthesised(option))
