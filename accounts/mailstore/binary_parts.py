"""Messages that hold NUL, which IMAP can send only decoded: their binary parts are put into base64, pure.

RFC 3516 §6 wants BODYSTRUCTURE and BODY[] to show such parts in an encoding of the base protocol, and allows a server
to change the encoding for that. Nothing else is touched.
"""

import binascii
import re

from accounts.mailstore.body_structures import transfer_encoding
from accounts.mailstore.entities import Entity, parse_entities

_ENCODING = re.compile(
    rb"^(Content-Transfer-Encoding[ \t]*:)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*",
    re.MULTILINE | re.IGNORECASE,
)
_LINE_OCTETS = 57  # of which base64 makes a line of 76

Edit = tuple[int, int, bytes]


def without_nul(content: bytes) -> bytes | None:
    """`content` with each part that is labelled binary and holds NUL in base64; None where NUL stands elsewhere."""
    if b"\0" not in content:
        return content
    edits: list[Edit] = []
    _encode(content, parse_entities(content), edits)
    pieces, position = [], 0
    for start, end, text in edits:
        pieces += [content[position:start], text]
        position = end
    encoded = b"".join([*pieces, content[position:]])
    return None if b"\0" in encoded else encoded


def _encode(content: bytes, entity: Entity, edits: list[Edit]) -> None:
    """The edits of an entity and all below it, in order; what holds a binary part is not itself in base64."""
    is_binary = transfer_encoding(entity.header.values) == b"binary"
    if not is_binary or content.find(b"\0", entity.body_start, entity.end) < 0:
        return
    label = b"8bit" if entity.children else b"base64"
    field = _ENCODING.search(content, entity.header_start, entity.body_start)
    if field is not None:
        edits.append((*field.span(), field[1] + b" " + label))
    for child in entity.children:
        _encode(content, child, edits)
    if not entity.children:
        octets = memoryview(content)[entity.body_start : entity.end]
        lines = [
            binascii.b2a_base64(octets[at : at + _LINE_OCTETS], newline=False)
            for at in range(0, len(octets), _LINE_OCTETS)
        ]
        edits.append((entity.body_start, entity.end, b"\r\n".join(lines)))
