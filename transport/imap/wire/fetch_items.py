"""What a FETCH can ask for (RFC 9051 §6.4.5, with RFC 3501's macros and RFC822 items), pure.

BINARY: RFC 3516. EMAILID, THREADID: RFC 8474. SAVEDATE: RFC 8514. PREVIEW: RFC 8970.
"""

import re
from dataclasses import dataclass

from transport.imap.wire.cursor import Cursor, ImapSyntaxError

ITEMS_MAXIMUM = 256
SECTIONS_MAXIMUM = 50
"""Of one FETCH: each is in memory with the others of its message."""
PART_DEPTH_MAXIMUM = 128


@dataclass(frozen=True, slots=True)
class Attribute:
    """An item without arguments, one of ATTRIBUTES.

    PREVIEW's LAZY is read and forgotten: a preview is always at hand.
    """

    name: bytes


@dataclass(frozen=True, slots=True)
class Section:
    """BODY[…], BODY.PEEK[…] and RFC822, RFC822.HEADER, RFC822.TEXT.

    `path` are the part numbers; `text` is "", HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT or MIME; `label` is
    what stands before the value in the response, with the partial's origin.
    """

    path: tuple[int, ...]
    text: str
    fields: tuple[bytes, ...]
    peek: bool
    partial: tuple[int, int] | None
    label: bytes


@dataclass(frozen=True, slots=True)
class Binary:
    """BINARY[…], BINARY.PEEK[…] and, with `is_size`, BINARY.SIZE[…]: a part without its transfer encoding."""

    path: tuple[int, ...]
    is_size: bool
    peek: bool
    partial: tuple[int, int] | None
    label: bytes


FetchItem = Attribute | Section | Binary

ALL = (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE")
MACROS: dict[bytes, tuple[bytes, ...]] = {
    b"ALL": ALL,
    b"FAST": ALL[:3],
    b"FULL": (*ALL, b"BODY"),
}
ATTRIBUTES = frozenset(
    (
        *ALL,
        b"BODY",
        b"BODYSTRUCTURE",
        b"UID",
        b"MODSEQ",
        b"EMAILID",
        b"THREADID",
        b"SAVEDATE",
        b"PREVIEW",
    )
)
RFC822 = {
    b"RFC822": Section((), "", (), False, None, b"RFC822"),
    b"RFC822.HEADER": Section((), "HEADER", (), True, None, b"RFC822.HEADER"),
    b"RFC822.TEXT": Section((), "TEXT", (), False, None, b"RFC822.TEXT"),
}
SECTION_TEXTS = ("HEADER.FIELDS.NOT", "HEADER.FIELDS", "HEADER", "TEXT", "MIME")

_NAME = re.compile(rb"[A-Za-z0-9.]+")
_LAZY = re.compile(rb" \(LAZY(?: LAZY)*\)", re.IGNORECASE)
_PART = re.compile(rb"[1-9][0-9]{0,8}")


def parse_fetch_items(cursor: Cursor) -> tuple[FetchItem, ...]:
    """fetch-att, a list of them, or a macro."""
    if not cursor.accept(b"("):
        return _item(cursor)
    items: list[FetchItem] = []
    while not cursor.accept(b")"):
        if items:
            cursor.space()
        items.extend(_item(cursor))
        if len(items) > ITEMS_MAXIMUM:
            raise ImapSyntaxError("too many items")
    if not items:
        raise ImapSyntaxError("empty list of items")
    if sum(not isinstance(item, Attribute) for item in items) > SECTIONS_MAXIMUM:
        raise ImapSyntaxError("too many sections")
    return tuple(items)


def _item(cursor: Cursor) -> tuple[FetchItem, ...]:
    match = _NAME.match(cursor.buffer, cursor.position)
    if match is None:
        raise ImapSyntaxError("fetch item expected")
    cursor.position = match.end()
    name = match.group().upper()
    if name in (b"BODY", b"BODY.PEEK") and cursor.accept(b"["):
        return (_section(cursor, peek=name == b"BODY.PEEK"),)
    if name in (b"BINARY", b"BINARY.PEEK", b"BINARY.SIZE") and cursor.accept(b"["):
        return (_binary(cursor, name),)
    if name == b"PREVIEW" and (lazy := _LAZY.match(cursor.buffer, cursor.position)):
        cursor.position = lazy.end()
    if name in RFC822:
        return (RFC822[name],)
    if name in ATTRIBUTES:
        return (Attribute(name),)
    if name in MACROS:
        return tuple(Attribute(n) for n in MACROS[name])
    raise ImapSyntaxError(f"unknown fetch item {name.decode('ascii')}")


def _section(cursor: Cursor, *, peek: bool) -> Section:
    path = _path(cursor)
    text = ""
    if cursor.peek() != b"]":
        text = next((t for t in SECTION_TEXTS if cursor.accept(t.encode("ascii"))), "")
        if not text or (text == "MIME" and not path):
            raise ImapSyntaxError("unknown section")
    fields: tuple[bytes, ...] = ()
    if text.startswith("HEADER.FIELDS"):
        fields = _fields(cursor)
    cursor.expect(b"]")
    partial = _partial(cursor)
    return Section(path, text, fields, peek, partial, _label(path, text, fields, partial))


def _binary(cursor: Cursor, name: bytes) -> Binary:
    """section-binary = "[" [section-part] "]" """
    path = _path(cursor)
    cursor.expect(b"]")
    is_size = name == b"BINARY.SIZE"
    partial = None if is_size else _partial(cursor)
    label = _label(path, "", (), partial, b"BINARY.SIZE[" if is_size else b"BINARY[")
    return Binary(path, is_size, name != b"BINARY", partial, label)


def _path(cursor: Cursor) -> tuple[int, ...]:
    """section-part with the "." that follows it before a section-text."""
    path: list[int] = []
    while match := _PART.match(cursor.buffer, cursor.position):
        path.append(int(match.group()))
        cursor.position = match.end()
        if len(path) > PART_DEPTH_MAXIMUM:
            raise ImapSyntaxError("section nested too deeply")
        goes_on = cursor.accept(b".")
        if goes_on == (cursor.peek() == b"]"):
            raise ImapSyntaxError("bad section")
        if not goes_on:
            break
    return tuple(path)


def _fields(cursor: Cursor) -> tuple[bytes, ...]:
    cursor.space()
    cursor.expect(b"(")
    names: list[bytes] = []
    while not cursor.accept(b")"):
        if names:
            cursor.space()
        names.append(cursor.astring())
        if len(names) > ITEMS_MAXIMUM:
            raise ImapSyntaxError("too many header fields")
    if not names:
        raise ImapSyntaxError("no header fields")
    return tuple(names)


def _partial(cursor: Cursor) -> tuple[int, int] | None:
    """partial = "<" number64 "." nz-number64 ">" """
    if not cursor.accept(b"<"):
        return None
    start = cursor.number()
    cursor.expect(b".")
    length = cursor.number()
    cursor.expect(b">")
    if not length:
        raise ImapSyntaxError("partial of no octets")
    return start, length


def _label(
    path: tuple[int, ...],
    text: str,
    fields: tuple[bytes, ...],
    partial: tuple[int, int] | None,
    start: bytes = b"BODY[",
) -> bytes:
    words = [str(number) for number in path]
    if text:
        words.append(text)
    section = ".".join(words).encode("ascii")
    if fields:
        section += b" (" + b" ".join(_field_name(name) for name in fields) + b")"
    return start + section + b"]" + (b"<%d>" % partial[0] if partial else b"")


def _field_name(name: bytes) -> bytes:
    """header-fld-name as an astring that a client can read again."""
    if re.fullmatch(rb"[A-Za-z0-9_.-]+", name):
        return name
    if re.fullmatch(rb'[^"\\\x00-\x1f\x7f-\xff]*', name):
        return b'"' + name + b'"'
    return b"{%d}\r\n" % len(name) + name
