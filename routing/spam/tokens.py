"""What the classifier counts of a message: a bounded set of words, each with where it stands.

Left out on purpose: dates, message ids and the fields of lists, which tell when and where mail was gathered and not
what it is. To and Received still tell some of that.
"""

import binascii
import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b

from accounts.mailstore.body_structures import transfer_encoding
from accounts.mailstore.charsets import decode_text
from accounts.mailstore.encoded_words import decode_base64, decode_words
from accounts.mailstore.entities import Entity, parse_entities
from accounts.mailstore.header_fields import unfold
from accounts.mailstore.markup import text_of_html
from accounts.mailstore.media_types import parameter, parameter_text

TEXT_LIMIT = 64 * 1024
TOKENS_LIMIT = 2000
PARTS_LIMIT = 50
FIELD_LIMIT = 2048
RECEIVED_LIMIT = 5

_WORD = re.compile(r"[^\W_][\w'$!-]{1,23}+|[$!]{2,10}|[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_URL = re.compile(r"https?://([^\s<>\"'/?#]{1,200})([^\s<>\"'?#]{0,100})", re.IGNORECASE)
_TAG = re.compile(r"<(/?[a-z][a-z0-9]{0,9}|!--)", re.IGNORECASE)
_HIDING = re.compile(
    r"display\s?:\s?none|font-size\s?:\s?[01](?:px|pt)?\b|visibility\s?:\s?hidden", re.I
)
_COLOUR = re.compile(r"(?:bg)?color\s?[=:]\s?[\"']?(#?\w{3,10})", re.IGNORECASE)
_FIELDS = {
    b"subject": "s",
    b"from": "f",
    b"to": "t",
    b"reply-to": "r",
    b"x-mailer": "m",
    b"user-agent": "m",
}
_NUMBER = re.compile(r"\d+")


def tokens_of(content: bytes) -> frozenset[str]:
    """At most TOKENS_LIMIT tokens, in the order header, parts, words; the same for the same bytes."""
    found: dict[str, None] = {}
    root = parse_entities(content)
    for token in _all(content, root):
        found[token] = None
        if len(found) == TOKENS_LIMIT:
            break
    return frozenset(found)


def token_key(token: str) -> int:
    """A token as the database counts it: 64 bits, signed, for ever the same."""
    digest = blake2b(token.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def keys_of(tokens: Iterable[str]) -> dict[int, str]:
    """Each token by its key."""
    return {token_key(token): token for token in tokens}


def _all(content: bytes, root: Entity) -> Iterator[str]:
    yield from _header(root)
    waiting, left, parts = [root], TEXT_LIMIT, PARTS_LIMIT
    while waiting and parts:
        entity = waiting.pop()
        parts -= 1
        kind = entity.media_type
        yield f"type:{(kind.type + b'/' + kind.subtype)[:60].decode('latin-1').lower()}"
        if name := parameter_text(kind.parameters, b"name")[:200]:
            yield f"file:{name.rpartition('.')[2].lower()[:12]}"
            yield from _words("file:", name)
        if kind.type == b"text" and left > 0:
            text = _text(content, entity, left)
            left -= len(text)
            yield from _body(text, is_html=kind.subtype == b"html")
        waiting.extend(reversed(entity.children))


def _header(root: Entity) -> Iterator[str]:
    values = root.header.values
    for name, prefix in _FIELDS.items():
        if name not in values:
            yield f"no:{name.decode()}"
            continue
        text = decode_words(unfold(values[name][0][:FIELD_LIMIT]))
        yield from _words(prefix + ":", text, pairs=name == b"subject")
        if name == b"subject" and text.isupper():
            yield "s:capitals"
    for value in values.get(b"received", ())[:RECEIVED_LIMIT]:
        fact = unfold(value[:FIELD_LIMIT]).decode("latin-1").lower().rpartition(";")[0]
        yield from (f"rcvd:{word}" for word in re.findall(r"[a-z][a-z0-9.-]{2,40}", fact))
        yield from (
            f"ip:{net}" for net in re.findall(r"\b(\d{1,3}\.\d{1,3})\.\d{1,3}\.\d{1,3}\b", fact)
        )


def _text(content: bytes, entity: Entity, limit: int) -> str:
    octets = content[entity.body_start : min(entity.end, entity.body_start + 2 * limit)]
    match transfer_encoding(entity.header.values):
        case b"base64":
            octets = decode_base64(octets)
        case b"quoted-printable":
            octets = binascii.a2b_qp(octets)
    charset = parameter(entity.media_type.parameters, b"charset") or b""
    return decode_text(octets, charset.decode("ascii", "replace"))[:limit]


def _body(text: str, *, is_html: bool) -> Iterator[str]:
    for host, path in _URL.findall(text):
        host = host.lower().rpartition("@")[2]
        labels = host.split(".")
        yield "url:ip" if labels[-1].isdigit() else f"url:{'.'.join(labels[-2:])}"
        yield f"url:{host[:60]}"
        yield from _words("path:", path)
    if is_html:
        yield from (f"tag:{tag.lower()}" for tag in _TAG.findall(text))
        yield from (f"colour:{colour.lower()}" for colour in _COLOUR.findall(text))
        yield from ("html:hides" for _ in _HIDING.findall(text))
        text = text_of_html(text)
    yield from _words("", text, pairs=True)


def _words(prefix: str, text: str, *, pairs: bool = False) -> Iterator[str]:
    """Words in lower case, numbers as their length; with `pairs`, each with the one before it as well."""
    before = ""
    for word in _WORD.findall(text):
        word = word.lower()
        if word[0].isdigit():
            word = _NUMBER.sub(lambda digits: "0" * min(len(digits[0]), 6), word)
        yield prefix + word
        if pairs and before:
            yield f"{prefix}{before} {word}"
        before = word
