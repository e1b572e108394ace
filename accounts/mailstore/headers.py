"""Header fields of any bytes, tolerantly and in linear time. RFC 5322 §2.2, RFC 7103."""

from collections.abc import Iterator
from dataclasses import dataclass

from accounts.mailstore.encoded_words import decode_words
from accounts.mailstore.header_addresses import HeaderAddress, parse_addresses

__all__ = [
    "Field",
    "HeaderAddress",
    "decode_words",
    "fields",
    "header_end",
    "parse_addresses",
    "unfold",
]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `name` in lower case; `value` raw, after the colon, folds kept, no final line break.

    content[start:end] is the whole field with its final line break.
    """

    name: bytes
    value: bytes
    start: int
    end: int


def header_end(content: bytes, start: int = 0) -> int:
    """The offset of the body's first byte: after the first blank line; len(content) if there is none."""
    raise NotImplementedError


def fields(content: bytes, start: int = 0, end: int | None = None) -> Iterator[Field]:
    """The fields of the header that begins at `start`, lines that are none skipped; at most FIELDS_LIMIT."""
    raise NotImplementedError


def unfold(value: bytes) -> bytes:
    """A field's value without line breaks, NULs and surrounding white space."""
    raise NotImplementedError
