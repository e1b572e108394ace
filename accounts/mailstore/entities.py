"""A message's tree of MIME entities, as offsets. RFC 2045, RFC 2046 §5, RFC 2183.

Each level of nesting scans its own octets once for its own boundary, between the offsets that the level above gave
it: an outer boundary ends whatever is open within. So the time is linear in the size, times the depth, which has a
bound. What is beyond a bound stays in the part that holds it, as plain text.
"""

import re
from dataclasses import dataclass, field

from accounts.mailstore.header_fields import begins_with_field, header_end, unfold, values_by_name
from accounts.mailstore.media_types import (
    PLAIN_TEXT,
    WHOLE_MESSAGE,
    MediaType,
    parameter,
    parse_media_type,
)

DEPTH_LIMIT = 32
ENTITIES_LIMIT = 1000
# Over all headers of a message.
TOTAL_FIELDS_LIMIT = 10_000
# Lines that begin like the boundary and are none: only made-up messages hold many.
FALSE_BOUNDARIES_LIMIT = 1000

# delimiter := "--" boundary; close-delimiter := delimiter "--"; then transport padding (RFC 2046 §5.1.1)
_AFTER_BOUNDARY = re.compile(rb"(--)?[ \t]*+(?:\r?\n|\r?\Z)")


@dataclass(slots=True)
class Header:
    """The fields of one entity, by lower-case name."""

    values: dict[bytes, list[bytes]]

    def get(self, name: bytes) -> bytes | None:
        """The first such field, unfolded; None if there is none."""
        values = self.values.get(name)
        return None if values is None else unfold(values[0])


@dataclass(slots=True)
class Entity:
    """content[header_start:body_start] is the header with its empty line, content[body_start:end] the body.

    `media_type` is as BODYSTRUCTURE says it. `children` are the parts of a multipart, never none, or the one message
    of a message/rfc822.
    """

    header: Header
    media_type: MediaType
    header_start: int
    body_start: int
    end: int
    children: list["Entity"] = field(default_factory=list)

    @property
    def is_multipart(self) -> bool:
        return self.media_type.type == b"multipart"

    @property
    def is_message(self) -> bool:
        """Whether it holds a message (RFC 2046 §5.2.1, RFC 6532 §3.7)."""
        return self.media_type.type == b"message" and self.media_type.subtype in _MESSAGES


_MESSAGES = (b"rfc822", b"global")


def parse_entities(content: bytes) -> Entity:
    """The tree of a whole message."""
    return _Parser(content).message(0, len(content), 0)


class _Parser:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._entities_left = ENTITIES_LIMIT  # beside those already cut out
        self._fields_left = TOTAL_FIELDS_LIMIT
        self._false_boundaries_left = FALSE_BOUNDARIES_LIMIT

    def message(self, start: int, end: int, depth: int) -> Entity:
        """The message in content[start:end]."""
        return self._entity(start, header_end(self._content, start, end), end, PLAIN_TEXT, depth)

    def _part(self, start: int, end: int, default: MediaType, depth: int) -> Entity:
        """A part of a multipart; one whose first line is no field has no header (RFC 2046 §5.1)."""
        content = self._content
        if content[start : start + 1] in (b"\r", b"\n") or begins_with_field(content, start, end):
            body_start = header_end(content, start, end)
        else:
            body_start = start
        return self._entity(start, body_start, end, default, depth)

    def _entity(
        self, start: int, body_start: int, end: int, default: MediaType, depth: int
    ) -> Entity:
        values = values_by_name(self._content, start, body_start, self._fields_left)
        self._fields_left -= sum(map(len, values.values()))
        header = Header(values)
        entity = Entity(header, _media_type(header, default), start, body_start, end)
        if entity.is_multipart:
            self._add_parts(entity, depth + 1)
        elif entity.is_message:
            if depth < DEPTH_LIMIT and self._entities_left > 0:
                self._entities_left -= 1
                entity.children.append(self.message(body_start, end, depth + 1))
            else:
                entity.media_type = PLAIN_TEXT
        return entity

    def _add_parts(self, entity: Entity, depth: int) -> None:
        boundary = (parameter(entity.media_type.parameters, b"boundary") or b"").rstrip()
        if depth > DEPTH_LIMIT or self._entities_left <= 0:
            entity.media_type = PLAIN_TEXT
            return
        is_digest = entity.media_type.subtype == b"digest"
        default = WHOLE_MESSAGE if is_digest else PLAIN_TEXT
        if boundary:
            regions = self._regions(boundary, entity.body_start, entity.end)
            self._entities_left -= len(regions)
            for start, end in regions:
                entity.children.append(self._part(start, end, default, depth))
        if not entity.children:
            # RFC 9051's grammar wants at least one part: the whole body, as text.
            start, end = entity.body_start, entity.end
            entity.children.append(self._entity(start, start, end, PLAIN_TEXT, depth))

    def _regions(self, boundary: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """The offsets of each part between the boundary's lines; one that is never closed reaches to the end.

        The line break before a boundary belongs to it.
        """
        content, needle = self._content, b"\n--" + boundary
        regions: list[tuple[int, int]] = []
        part_start = -1
        position = max(start - 1, 0)
        while (found := content.find(needle, position, end)) >= 0:
            position = found + len(needle)
            match = _AFTER_BOUNDARY.match(content, position, end)
            if match is None:
                self._false_boundaries_left -= 1
                if self._false_boundaries_left < 0:
                    break
                continue
            if part_start >= 0:
                part_end = found - 1 if content[found - 1] == 0x0D else found
                regions.append((part_start, max(part_start, part_end)))
            part_start = match.end()
            if match[1] is not None:
                return regions
            if len(regions) + 1 >= self._entities_left:  # the last takes the rest
                break
            position = part_start - 1
        if part_start >= 0:
            regions.append((part_start, end))
        return regions


def _media_type(header: Header, default: MediaType) -> MediaType:
    value = header.get(b"content-type")
    media_type = default if value is None else parse_media_type(value)
    if media_type is None:
        return PLAIN_TEXT
    if media_type.type == b"text" and parameter(media_type.parameters, b"charset") is None:
        # RFC 2045 §5.2; clients take the charset from here.
        extended = (*media_type.parameters, *PLAIN_TEXT.parameters)
        return MediaType(media_type.type, media_type.subtype, extended)
    return media_type
