"""What the parts of a message say, decoded, for tests and actions that look into the body. Never raises.

Of one part the first PART_MAXIMUM octets are looked at.
"""

import binascii

from accounts.mailstore.body_structures import transfer_encoding
from accounts.mailstore.charsets import decode_text
from accounts.mailstore.encoded_words import decode_base64
from accounts.mailstore.entities import Entity
from accounts.mailstore.markup import text_of_html
from accounts.mailstore.media_types import parameter
from routing.sieve.message import Message

PART_MAXIMUM = 8 << 20  # octets


def part_octets(message: Message, entity: Entity) -> bytes:
    """The body of a part, its transfer encoding undone."""
    octets = message.content[entity.body_start : min(entity.end, entity.body_start + PART_MAXIMUM)]
    match transfer_encoding(entity.header.values):
        case b"base64":
            return decode_base64(octets)
        case b"quoted-printable":
            return binascii.a2b_qp(octets)
    return octets


def part_text(message: Message, entity: Entity) -> str:
    """The body of a part as text, by its charset; decoded once."""
    key = ("part", entity.body_start)
    if key not in message.texts:
        message.texts[key] = _decoded(message, entity)
    return message.texts[key]


def shown_text(message: Message, entity: Entity) -> str:
    """What a reader sees of a part of text: that of HTML has no tags, and one space for all white space."""
    if entity.media_type.subtype != b"html":
        return part_text(message, entity)
    key = ("html", entity.body_start)
    if key not in message.texts:
        message.texts[key] = " ".join(text_of_html(part_text(message, entity)).split())
    return message.texts[key]


def raw_text(octets: bytes) -> str:
    """Octets as they are, as text."""
    return decode_text(octets[:PART_MAXIMUM], "")


def _decoded(message: Message, entity: Entity) -> str:
    charset = parameter(entity.media_type.parameters, b"charset") or b""
    return decode_text(part_octets(message, entity), charset.decode("ascii", "replace"))
