"""Where the parts of a message lie: the offset table that `structure.render` packs, and slices by IMAP section.

RFC 9051 §6.4.5.1 (part specifiers): a message's own parts are numbered from 1; a message that is not multipart
has one part 1, its body; below a message/rfc822 part the numbers go on with those of the message within.
"""

import struct
from collections.abc import Collection
from dataclasses import dataclass

from accounts.mailstore.entities import Entity
from accounts.mailstore.header_fields import spans_of_fields

# One entity a record, parents before children: header_start, body_start, end, entities from here to the end of its
# subtree, kind.
_RECORD = struct.Struct("<IIIHB")
_LEAF, _MULTIPART, _MESSAGE = range(3)
_OFFSET_LIMIT = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class MessageSpan:
    """A whole message: HEADER is [header_start:body_start] (the empty line included), TEXT [body_start:end]."""

    header_start: int
    body_start: int
    end: int


@dataclass(frozen=True, slots=True)
class PartSpan:
    """One part: MIME is [header_start:body_start], the part itself [body_start:end].

    `message` is the message within a message/rfc822 part (for the empty path: the message itself), whose HEADER
    and TEXT may be asked for; None for any other part. `is_root`: its header is the message's own, before which the
    owner's prefix stands.
    """

    header_start: int
    body_start: int
    end: int
    message: MessageSpan | None
    is_root: bool


def pack_parts(root: Entity) -> bytes:
    """The table of a whole message."""
    records: list[bytes] = []
    _pack(root, records)
    return b"".join(records)


def find_part(parts: bytes, path: tuple[int, ...]) -> PartSpan | None:
    """The part at `path`, as in BODY[1.2]; the whole message for (); None if there is none."""
    if not path:
        start, body_start, end, _, _ = _RECORD.unpack_from(parts, 0)
        return PartSpan(start, body_start, end, MessageSpan(start, body_start, end), is_root=True)
    at: int | None = 0
    holds_message = True  # whether the parts of the entity at `at` are those of a message there
    for number in path:
        assert at is not None
        kind = _kind(parts, at)
        if kind == _MESSAGE and not holds_message:
            # Into the message within.
            at += 1
            kind = _kind(parts, at)
            holds_message = True
        if kind == _MULTIPART:
            at = _child(parts, at, number)
        elif not holds_message or number != 1:
            at = None
        if at is None:
            return None
        holds_message = False
    assert at is not None
    start, body_start, end, _, kind = _RECORD.unpack_from(parts, at * _RECORD.size)
    message = None
    if kind == _MESSAGE:
        message = MessageSpan(*_RECORD.unpack_from(parts, (at + 1) * _RECORD.size)[:3])
    return PartSpan(start, body_start, end, message, is_root=at == 0)


def select_fields(header: bytes, names: Collection[bytes], invert: bool = False) -> bytes:
    """HEADER.FIELDS (or, inverted, HEADER.FIELDS.NOT): the raw fields in their order, and the empty line.

    `names` in any case.
    """
    wanted = {name.lower() for name in names}
    spans = spans_of_fields(header, 0, len(header), wanted, invert=invert)
    text = b"".join([header[start:end] for start, end in spans])
    if text and not text.endswith(b"\n"):
        text += b"\r\n"
    return text + b"\r\n"


def _pack(entity: Entity, records: list[bytes]) -> None:
    at = len(records)
    records.append(b"")
    for child in entity.children:
        _pack(child, records)
    kind = _MULTIPART if entity.is_multipart else _MESSAGE if entity.is_message else _LEAF
    records[at] = _RECORD.pack(
        min(entity.header_start, _OFFSET_LIMIT),
        min(entity.body_start, _OFFSET_LIMIT),
        min(entity.end, _OFFSET_LIMIT),
        len(records) - at,
        kind,
    )


def _kind(parts: bytes, at: int) -> int:
    return parts[(at + 1) * _RECORD.size - 1]


def _subtree(parts: bytes, at: int) -> int:
    size: int = _RECORD.unpack_from(parts, at * _RECORD.size)[3]
    return size


def _child(parts: bytes, at: int, number: int) -> int | None:
    """The record of a multipart's child, counted from 1; None if there is none."""
    end = at + _subtree(parts, at)
    child = at + 1
    while number > 1 and child < end:
        child += _subtree(parts, child)
        number -= 1
    return child if number == 1 and child < end else None
