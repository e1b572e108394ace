"""What the classifier counts of a message: a bounded set of tokens, each a word with where it stands before a colon."""

import binascii
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from struct import unpack

from xxhash import xxh3_64_digest

from accounts.mailstore.body_structures import transfer_encoding
from accounts.mailstore.charsets import decode_text
from accounts.mailstore.encoded_words import decode_base64
from accounts.mailstore.entities import Entity, parse_entities
from accounts.mailstore.header_fields import unfold
from accounts.mailstore.media_types import parameter, parameter_text, parse_disposition
from routing.spam.body_tokens import html_tokens, plain_tokens
from routing.spam.header_tokens import header_tokens
from routing.spam.views import BITS, view_of
from routing.spam.words import size, words

TEXT_LIMIT = 64 * 1024
TOKENS_LIMIT = 700  # more tell hardly more, and cost in proportion: docs/spam.md
PARTS_LIMIT = 50

_WITHOUT_VIEW = -1 << BITS


def tokens_of(content: bytes) -> frozenset[str]:
    """At most TOKENS_LIMIT tokens, in the order header, parts, words; the same for the same bytes, whatever ends lines."""
    tokens = chain.from_iterable(_all(content))
    found: dict[str, None] = {}
    while more := list(islice(tokens, TOKENS_LIMIT - len(found))):
        found |= dict.fromkeys(more)
    return frozenset(found)


def token_key(token: str) -> int:
    """A token as the database counts it: 64 bits, signed, for ever the same; the lowest tell its view."""
    [key] = keys_of([token])
    return key


def keys_of(tokens: Iterable[str]) -> dict[int, str]:
    """Each token by its key."""
    listed = list(tokens)
    digests = [xxh3_64_digest(token.encode("utf-8", "replace")) for token in listed]
    numbers = unpack(f">{len(listed)}q", b"".join(digests))
    return {
        number & _WITHOUT_VIEW | view_of(token): token
        for number, token in zip(numbers, listed, strict=True)
    }


def _all(content: bytes) -> Iterator[Iterable[str]]:
    """In batches: a token goes through one loop then, and not through one for each level."""
    root = parse_entities(content)
    yield header_tokens(root.header.values)
    parts: list[Entity] = []
    waiting = [root]
    while waiting and len(parts) < PARTS_LIMIT:
        entity = waiting.pop()
        parts.append(entity)
        waiting.extend(reversed(entity.children))
    yield (f"layout:parts {size(len(parts))}",)
    yield from map(_kind, parts)
    left = TEXT_LIMIT
    for part in parts:
        if part.media_type.type == b"text" and left > 0:
            text = _text(content, part, left)
            left -= len(text)
            is_html = part.media_type.subtype == b"html"
            yield from html_tokens(text) if is_html else plain_tokens(text)


def _kind(part: Entity) -> Iterator[str]:
    """What a part says it is: type, charset, encoding, the name and ending of a file."""
    kind, values = part.media_type, part.header.values
    yield f"type:{(kind.type + b'/' + kind.subtype)[:60].decode('latin-1').lower()}"
    yield f"encoding:{transfer_encoding(values).decode('latin-1')[:20]}"
    if kind.type == b"text" and b"content-type" in values:
        yield f"charset:{_charset(part)[:30].lower()}"
    name = parameter_text(kind.parameters, b"name")
    fields = values.get(b"content-disposition")
    if fields and (disposition := parse_disposition(unfold(fields[0]))):
        yield f"type:/{disposition.kind[:20].decode('latin-1')}"
        name = parameter_text(disposition.parameters, b"filename") or name
    if name:
        yield f"file:.{name.rpartition('.')[2].lower()[:12]}"
        yield from words("file:", name[:200])


def _charset(part: Entity) -> str:
    return (parameter(part.media_type.parameters, b"charset") or b"").decode("ascii", "replace")


def _text(content: bytes, part: Entity, limit: int) -> str:
    octets = content[part.body_start : min(part.end, part.body_start + 2 * limit)]
    match transfer_encoding(part.header.values):
        case b"base64":
            octets = decode_base64(octets)
        case b"quoted-printable":
            octets = binascii.a2b_qp(octets)
    return decode_text(octets, _charset(part))[:limit].replace("\r\n", "\n")
