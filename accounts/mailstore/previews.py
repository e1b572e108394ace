"""The beginning of what a message says, for lists of messages (RFC 8970 §3.3). Pure.

It is of the first readable text part that is no attachment; what is quoted of another message is left out. An encrypted
message, or one without text, has none.
"""

import binascii
import re

from accounts.mailstore.body_structures import transfer_encoding
from accounts.mailstore.charsets import decode_text
from accounts.mailstore.encoded_words import decode_base64
from accounts.mailstore.entities import Entity
from accounts.mailstore.header_fields import unfold
from accounts.mailstore.markup import text_of_html
from accounts.mailstore.media_types import parameter, parse_disposition

PREVIEW_CHARACTERS = 200
# Before they are decoded; HTML begins with styles.
PLAIN_OCTETS = 4 * 1024
HTML_OCTETS = 24 * 1024
PARTS_LIMIT = 20

_QUOTED = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
# What shows nothing: controls, soft hyphens, joiners that mailings pad their first line with, and lone surrogates.
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ud800-\udfff]+"
)


def preview(content: bytes, root: Entity) -> str:
    """One line of at most PREVIEW_CHARACTERS characters; "" where there is nothing to show."""
    waiting, parts_left = [root], PARTS_LIMIT
    while waiting and parts_left > 0:
        entity = waiting.pop()
        parts_left -= 1
        if entity.media_type.type == b"text" and not _is_attachment(entity):
            text = _text(content, entity)
            if text:
                return text
        waiting.extend(reversed(entity.children))
    return ""


def _is_attachment(entity: Entity) -> bool:
    found = entity.header.values.get(b"content-disposition")
    disposition = parse_disposition(unfold(found[0])) if found else None
    return disposition is not None and disposition.kind == b"attachment"


def _text(content: bytes, entity: Entity) -> str:
    subtype = entity.media_type.subtype
    if subtype not in (b"plain", b"html"):
        return ""
    limit = HTML_OCTETS if subtype == b"html" else PLAIN_OCTETS
    octets = content[entity.body_start : min(entity.end, entity.body_start + limit)]
    match transfer_encoding(entity.header.values):
        case b"base64":
            octets = decode_base64(octets)
        case b"quoted-printable":
            octets = binascii.a2b_qp(octets)
    charset = parameter(entity.media_type.parameters, b"charset") or b""
    text = decode_text(octets, charset.decode("ascii", "replace"))
    if subtype == b"html":
        text = text_of_html(text)
    elif ">" in text:
        text = _QUOTED.sub("", text)
    shown = _shown(text[: 4 * PREVIEW_CHARACTERS])  # mostly enough, and a tenth of the work
    if len(shown) < PREVIEW_CHARACTERS:
        shown = _shown(text)
    return shown[:PREVIEW_CHARACTERS].rstrip()


def _shown(text: str) -> str:
    return " ".join(_INVISIBLE.sub(" ", text).split())
