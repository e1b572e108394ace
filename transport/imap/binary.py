"""BINARY[…] and BINARY.SIZE[…]: a part without its content transfer encoding (RFC 3516 §4.2-3, RFC 9051 §6.4.5).

A large part is decoded twice, piece by piece: once for the size, which goes before the octets, and once to be sent.
BINARY[] is the whole message as it is.
"""

from accounts.mailstore.body_structures import transfer_encoding
from accounts.mailstore.decoding import decoder_for
from accounts.mailstore.header_fields import FIELDS_LIMIT, values_by_name
from accounts.mailstore.reading import BlobReference, read_blob
from accounts.mailstore.sections import PartSpan, find_part
from transport.database_threads import Connection
from transport.imap.streams import PIECE, Stream, Window, decoded_pieces
from transport.imap.wire.fetch_items import Binary

HEADER_OCTETS = 65_536
"""Of a part's header, in which its encoding is looked for."""
IDENTITY = b"binary"
ALL_OCTETS = 1 << 62

Content = bytes | BlobReference
Value = bytes | tuple[bytes, Stream]


class UnknownEncoding(Exception):
    """The part's transfer encoding is not known."""


def decoded_value(
    db: Connection, item: Binary, prefix: bytes, parts: bytes, content: Content
) -> Value:
    """The words of a response: label and number, label and literal, or label and what follows as a Stream.

    Raises UnknownEncoding.
    """
    window = Window(*item.partial) if item.partial else Window(0, ALL_OCTETS)
    if not item.path:
        size = content.size if isinstance(content, BlobReference) else len(content)
        return _value(db, item, prefix, content, 0, size, IDENTITY, window)
    part = find_part(parts, item.path)
    if part is None:
        return item.label + (b" 0" if item.is_size else b" NIL")
    encoding = IDENTITY if part.message else _encoding(db, content, part)
    return _value(db, item, b"", content, part.body_start, part.end, encoding, window)


def _encoding(db: Connection, content: Content, part: PartSpan) -> bytes:
    end = min(part.body_start, part.header_start + HEADER_OCTETS)
    header = _read(db, content, part.header_start, end)
    return transfer_encoding(values_by_name(header, 0, len(header), FIELDS_LIMIT))


def _value(
    db: Connection,
    item: Binary,
    lead: bytes,
    content: Content,
    start: int,
    end: int,
    encoding: bytes,
    window: Window,
) -> Value:
    decoder = decoder_for(encoding)
    if decoder is None:
        raise UnknownEncoding
    if isinstance(content, bytes) or end - start <= PIECE:
        octets = lead + decoder.feed(_read(db, content, start, end)) + decoder.finish()
        octets = window.cut(octets, 0)
        if item.is_size:
            return b"%b %d" % (item.label, len(octets))
        return _announced(item.label, len(octets), has_nul=b"\0" in octets) + octets
    size, has_nul, at = 0, False, len(lead)
    for octets in decoded_pieces(db, Stream(content, start, end, encoding)):
        within = window.cut(octets, at)
        size += len(within)
        has_nul = has_nul or b"\0" in within
        at += len(octets)
    rest = Window(max(0, window.first - len(lead)), size)
    lead = window.cut(lead, 0)
    if item.is_size:
        return b"%b %d" % (item.label, len(lead) + size)
    announced = _announced(item.label, len(lead) + size, has_nul=has_nul)
    return announced + lead, Stream(content, start, end, encoding, rest)


def _announced(label: bytes, size: int, *, has_nul: bool) -> bytes:
    """A literal8 only where the octets hold NUL (RFC 3516 §4.3)."""
    return b"%b %b{%d}\r\n" % (label, b"~" if has_nul else b"", size)


def _read(db: Connection, content: Content, start: int, end: int) -> bytes:
    if isinstance(content, bytes):
        return content[start:end]
    return read_blob(db, content, start, end - start)
