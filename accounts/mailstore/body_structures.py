"""BODY and BODYSTRUCTURE. RFC 9051 §7.5.2 and its grammar (body, body-ext-1part, body-ext-mpart)."""

import re
from typing import NamedTuple

from accounts.mailstore.entities import Entity
from accounts.mailstore.envelopes import AddressBudget, AddressLists, render_envelope
from accounts.mailstore.header_fields import unfold
from accounts.mailstore.media_types import Parameters, parse_disposition
from accounts.mailstore.wire_strings import nstring, string

LANGUAGES_LIMIT = 20

_ENCODING = re.compile(rb"\s*+([!#-'*+.0-9A-Z^-~-]++)")
_LANGUAGE = re.compile(rb"[A-Za-z0-9-]++")


class RenderedBody(NamedTuple):
    """`body` is for FETCH BODY, without extension data; `structure` for BODYSTRUCTURE."""

    body: bytes
    structure: bytes


def render_body(content: bytes, entity: Entity, budget: AddressBudget) -> RenderedBody:
    """Both forms for an entity and all below it."""
    if entity.is_multipart:
        return _multipart(content, entity, budget)
    media_type = entity.media_type
    values = entity.header.values
    basic = b"%b %b %b %b %b %b %d" % (
        string(media_type.type),
        string(media_type.subtype),
        _parameters(media_type.parameters),
        _value(values, b"content-id"),
        _value(values, b"content-description"),
        transfer_encoding_string(values),
        entity.end - entity.body_start,
    )
    extension = b" %b%b" % (_value(values, b"content-md5"), _shared_extension(values))
    if entity.is_message:
        inner = entity.children[0]
        envelope = render_envelope(inner.header, AddressLists(inner.header, budget))
        within = render_body(content, inner, budget)
        lines = count_lines(content, entity)
        return RenderedBody(
            b"(%b %b %b %d)" % (basic, envelope, within.body, lines),
            b"(%b %b %b %d%b)" % (basic, envelope, within.structure, lines, extension),
        )
    if media_type.type == b"text":
        basic += b" %d" % count_lines(content, entity)
    return RenderedBody(b"(%b)" % basic, b"(%b%b)" % (basic, extension))


def count_lines(content: bytes, entity: Entity) -> int:
    """The line breaks of a body, as UW, Cyrus and Dovecot count its lines: a boundary takes the last one of a part."""
    return content.count(b"\n", entity.body_start, entity.end)


def transfer_encoding(values: dict[bytes, list[bytes]]) -> bytes:
    """The Content-Transfer-Encoding in lower case; 7bit if there is none."""
    found = values.get(b"content-transfer-encoding")
    match = found and _ENCODING.match(found[0])
    return match[1].lower() if match else b"7bit"


def transfer_encoding_string(values: dict[bytes, list[bytes]]) -> bytes:
    return string(transfer_encoding(values))


def _multipart(content: bytes, entity: Entity, budget: AddressBudget) -> RenderedBody:
    children = [render_body(content, child, budget) for child in entity.children]
    subtype = string(entity.media_type.subtype)
    return RenderedBody(
        b"(%b %b)" % (b"".join(child.body for child in children), subtype),
        b"(%b %b %b%b)"
        % (
            b"".join(child.structure for child in children),
            subtype,
            _parameters(entity.media_type.parameters),
            _shared_extension(entity.header.values),
        ),
    )


def _shared_extension(values: dict[bytes, list[bytes]]) -> bytes:
    """Disposition, language and location, each after a space."""
    if not _EXTENSION_FIELDS.intersection(values):
        return b" NIL NIL NIL"
    return b" %b %b %b" % (
        _disposition(values),
        _languages(values),
        _value(values, b"content-location"),
    )


_EXTENSION_FIELDS = frozenset({b"content-disposition", b"content-language", b"content-location"})


def _disposition(values: dict[bytes, list[bytes]]) -> bytes:
    found = values.get(b"content-disposition")
    disposition = found and parse_disposition(unfold(found[0]))
    if not disposition:
        return b"NIL"
    return b"(%b %b)" % (string(disposition.kind), _parameters(disposition.parameters))


def _languages(values: dict[bytes, list[bytes]]) -> bytes:
    found = values.get(b"content-language")
    languages = _LANGUAGE.findall(found[0][:1000])[:LANGUAGES_LIMIT] if found else []
    return b"(%b)" % b" ".join(map(string, languages)) if languages else b"NIL"


def _parameters(parameters: Parameters) -> bytes:
    if not parameters:
        return b"NIL"
    return b"(%b)" % b" ".join([string(text) for pair in parameters for text in pair])


def _value(values: dict[bytes, list[bytes]], name: bytes) -> bytes:
    found = values.get(name)
    return nstring(unfold(found[0])) if found else b"NIL"
