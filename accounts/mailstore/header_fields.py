"""The fields of a header, cut from any bytes tolerantly and in linear time. RFC 5322 §2.2, RFC 7103 §7.2.

A header ends at the first empty line; a line in it that is no field belongs to the field before it, as RFC 7103 §7.2
prefers. Where no line is empty, the header ends with its last field.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

# More fields than this are not looked at (a header of a well-travelled message has some 60).
FIELDS_LIMIT = 1000
# Nor more octets of one header.
HEADER_LIMIT = 1 << 20

# field = field-name ":" unstructured CRLF; white space before the colon is obsolete syntax (RFC 5322 §4.5.8).
_FIELD_START = re.compile(rb"^([!-9;-~]+)[ \t]*:", re.MULTILINE)
_FIRST_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")
_EMPTY_LINE = re.compile(rb"\r?\n")
_LINE_BREAKS = re.compile(rb"\r?\n[ \t]*|\r")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `name` in lower case; `value` raw, after the colon, folds kept, no final line break.

    content[start:end] is the whole field with its final line break.
    """

    name: bytes
    value: bytes
    start: int
    end: int


def header_end(content: bytes, start: int = 0, end: int | None = None) -> int:
    """The offset of the first byte of the body: after the empty line; the end of the last field if none is empty."""
    limit = len(content) if end is None else end
    if at_once := _EMPTY_LINE.match(content, start, limit):
        return at_once.end()
    crlf = content.find(b"\r\n\r\n", start, limit)
    before = limit if crlf < 0 else crlf
    bare, mixed = content.find(b"\n\n", start, before), content.find(b"\n\r\n", start, before)
    ends = [at + width for at, width in ((crlf, 4), (bare, 2), (mixed, 3)) if at >= 0]
    if ends:
        return min(ends)
    return _end_of_last_field(content, start, limit)


def begins_with_field(content: bytes, start: int, end: int) -> bool:
    """Whether the line at `start` is a field; a part whose first line is none has no header."""
    return _FIRST_FIELD.match(content, start, end) is not None


def fields(content: bytes, start: int = 0, end: int | None = None) -> Iterator[Field]:
    """The fields of the header at `start` (up to `end`, or its own end), at most FIELDS_LIMIT."""
    limit = header_end(content, start) if end is None else end
    if content.endswith((b"\n\r\n", b"\n\n"), start, limit):
        limit -= (
            2 if content[limit - 2] == 0x0D else 1
        )  # the empty line is no part of the last field
    previous: re.Match[bytes] | None = None
    count = 0
    for match in _FIELD_START.finditer(content, start, min(limit, start + HEADER_LIMIT)):
        if previous is not None:
            yield _field(content, previous, match.start())
            count += 1
            if count == FIELDS_LIMIT:
                return
        previous = match
    if previous is not None:
        yield _field(content, previous, limit)


def spans_of_fields(
    content: bytes, start: int, end: int, names: Collection[bytes], *, invert: bool
) -> list[tuple[int, int]]:
    """Where the fields of these lower-case names (or, inverted, of others) lie, as `fields` has them. Quicker."""
    limit = end
    if content.endswith((b"\n\r\n", b"\n\n"), start, limit):
        limit -= 2 if content[limit - 2] == 0x0D else 1
    spans: list[tuple[int, int]] = []
    begin = -1
    found = _FIELD_START.finditer(content, start, min(limit, start + HEADER_LIMIT))
    for number, match in enumerate(found):
        if begin >= 0:
            spans.append((begin, match.start()))
        if number == FIELDS_LIMIT:
            return spans
        begin = match.start() if (match[1].lower() in names) != invert else -1
    if begin >= 0:
        spans.append((begin, limit))
    return spans


def values_by_name(content: bytes, start: int, end: int, most: int) -> dict[bytes, list[bytes]]:
    """The raw values (line breaks kept) under each lower-case name; at most `most` fields. Quicker than `fields`."""
    values: dict[bytes, list[bytes]] = {}
    name, value_start = b"", -1
    end = min(end, start + HEADER_LIMIT)
    for match in _FIELD_START.finditer(content, start, end):
        if value_start >= 0:
            values.setdefault(name, []).append(content[value_start : match.start()])
            most -= 1
            if most <= 0:
                return values
        name, value_start = match[1].lower(), match.end()
    if value_start >= 0:
        values.setdefault(name, []).append(content[value_start:end])
    return values


def unfold(value: bytes) -> bytes:
    """A value without line breaks, NULs and surrounding white space; a fold becomes one space."""
    value = value.strip()
    if b"\n" in value or b"\r" in value:
        value = _LINE_BREAKS.sub(b" ", value)
    return value.replace(b"\0", b"")


def _field(content: bytes, start: re.Match[bytes], end: int) -> Field:
    value = content[start.end() : end].removesuffix(b"\n").removesuffix(b"\r")
    return Field(start[1].lower(), value, start.start(), end)


def _end_of_last_field(content: bytes, start: int, limit: int) -> int:
    """The end of the last line that begins a field, its folded lines included; `start` if there is none."""
    last = None
    for last in _FIELD_START.finditer(content, start, limit):  # noqa: B007
        pass
    if last is None:
        return start
    end = last.end()
    while True:
        line_break = content.find(b"\n", end, limit)
        if line_break < 0:
            return limit
        end = line_break + 1
        if content[end : end + 1] not in (b" ", b"\t"):
            return end
