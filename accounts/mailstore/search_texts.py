"""What SEARCH compares: decoded, folded, bounded text of a message. RFC 9051 §6.4.4, RFC 5051.

Left out on purpose: the text of attachments other than text/* (their names are kept), and what is beyond the limits.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import normalize

from accounts.mailstore.body_structures import transfer_encoding
from accounts.mailstore.charsets import decode_text
from accounts.mailstore.encoded_words import decode_base64, decode_words
from accounts.mailstore.entities import Entity, Header
from accounts.mailstore.header_fields import unfold
from accounts.mailstore.markup import text_of_html
from accounts.mailstore.media_types import parameter, parameter_text, parse_disposition

# In characters, after decoding.
BODY_TEXT_LIMIT = 64 * 1024
FIELD_TEXT_LIMIT = 16 * 1024
# In octets, before it.
HEADER_OCTETS_LIMIT = 64 * 1024
PART_OCTETS_LIMIT = 128 * 1024
SEARCHED_PARTS_LIMIT = 200

_RUN_LIMIT = 500
_LONG_RUN = re.compile(rf"[^\x00-\x7f]{{{_RUN_LIMIT}}}")


@dataclass(frozen=True, slots=True)
class SearchText:
    """Folded text by search key; `header` has a line for each field."""

    subject: str
    sender: str
    recipients: str
    copied: str
    header: str
    text: str


def fold(text: str) -> str:
    """Text as it is compared: NFKC, case folded, runs of white space as one space, no NUL.

    A needle goes through the same function before it is looked for.
    """
    text = _casefold(text)
    folded = " ".join(text.split())
    if text[:1].isspace():
        folded = " " + folded
    return folded + " " if folded.strip() and text[-1:].isspace() else folded


def collation_key(folded: str) -> str:
    """What folded text is sorted by: capitals, decomposed, by code point (RFC 5051 §2)."""
    key = folded.upper()
    return key if key.isascii() else normalize("NFKD", key)


def search_text(content: bytes, root: Entity) -> SearchText:
    """The searchable text of a whole message."""
    return SearchText(
        subject=_field_text(root.header, b"subject"),
        sender=_field_text(root.header, b"from"),
        recipients=_field_text(root.header, b"to"),
        copied=_field_text(root.header, b"cc"),
        header=_header_text(content[root.header_start : root.body_start][:HEADER_OCTETS_LIMIT]),
        text=_body_text(content, root),
    )


def _casefold(text: str) -> str:
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text.lower()
    text = _normalized(text).casefold()
    # PostgreSQL takes no lone surrogates; folding may have undone the normal form.
    return _normalized(text.encode("utf-8", "replace").decode())


def _normalized(text: str) -> str:
    """NFKC, in pieces where a run of other than US-ASCII is long: a thousand combining marks cost a million steps."""
    if _LONG_RUN.search(text) is None:
        return normalize("NFKC", text)
    pieces = (text[at : at + _RUN_LIMIT] for at in range(0, len(text), _RUN_LIMIT))
    return "".join([normalize("NFKC", piece) for piece in pieces])


def _field_text(header: Header, name: bytes) -> str:
    values = header.values.get(name)
    if values is None:
        return ""
    value = b", ".join(unfold(value[:FIELD_TEXT_LIMIT]) for value in values)[:FIELD_TEXT_LIMIT]
    return fold(decode_words(value))


def _header_text(header: bytes) -> str:
    """Every field as a line break, its name, a colon and its value on one line."""
    header = header.replace(b"\r\n", b"\n").replace(b"\r", b" ").replace(b"\t", b" ")
    text = _casefold(decode_words(header.replace(b"\n ", b" ").strip()))
    while "  " in text:
        text = text.replace("  ", " ")
    return "\n" + text if text else ""


def _body_text(content: bytes, root: Entity) -> str:
    pieces: list[str] = []
    left = BODY_TEXT_LIMIT
    for piece in _pieces(content, root):
        piece = " ".join(_casefold(piece[: left * 2]).split())[:left]
        if piece:
            pieces.append(piece)
            left -= len(piece)
            if left <= 0:
                break
    return "\n".join(pieces)


def _pieces(content: bytes, root: Entity) -> Iterator[str]:
    """The texts of the parts in their order; names of attachments; the main fields of attached messages."""
    waiting, parts_left = [root], SEARCHED_PARTS_LIMIT
    while waiting and parts_left > 0:
        entity = waiting.pop()
        parts_left -= 1
        if entity is not root:
            yield _file_name(entity)
        if entity.is_message:
            inner = entity.children[0].header
            for name in (b"subject", b"from", b"to"):
                yield decode_words((inner.get(name) or b"")[:FIELD_TEXT_LIMIT])
        elif entity.media_type.type == b"text":
            yield _text_of(content, entity)
        waiting.extend(reversed(entity.children))


def _text_of(content: bytes, entity: Entity) -> str:
    octets = content[entity.body_start : min(entity.end, entity.body_start + PART_OCTETS_LIMIT)]
    match transfer_encoding(entity.header.values):
        case b"base64":
            octets = decode_base64(octets)
        case b"quoted-printable":
            octets = binascii.a2b_qp(octets)
    charset = parameter(entity.media_type.parameters, b"charset") or b""
    text = decode_text(octets, charset.decode("ascii", "replace"))
    return text_of_html(text) if entity.media_type.subtype == b"html" else text


def _file_name(entity: Entity) -> str:
    name = parameter_text(entity.media_type.parameters, b"name")
    found = entity.header.get(b"content-disposition")
    disposition = parse_disposition(found) if found else None
    if disposition is not None:
        name = parameter_text(disposition.parameters, b"filename") or name
    return name
