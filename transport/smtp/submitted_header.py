"""The header of a submitted message: what is added, taken out and checked. RFC 6409 §8, RFC 5322 §3.6. Pure.

Whose From this is can only be promised where every reader sees the same fields and the same addresses in them. A header
with other lines than fields, or an author field that one parser reads as A and the next as B, is not repaired here: a
mail program makes none.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, formataddr

from accounts.mailstore.headers import (
    Field,
    HeaderAddress,
    fields,
    header_end,
    parse_addresses,
    unfold,
)
from routing.senders import AuthorFields

HEADER_MAXIMUM = 1 << 19  # octets; `fields` reads no more than twice as many
FIELDS_MAXIMUM = 500  # `fields` reads no more than twice as many
AUTHORS_MAXIMUM = 16_384  # octets of From or Sender; far below where `parse_addresses` stops

_RESENT_FIELDS = (b"resent-from", b"resent-sender")
_AUTHOR_FIELDS = (b"from", b"sender", *_RESENT_FIELDS)
_NEEDED_FIELDS = (b"date", b"message-id")
_UNWANTED_FIELDS = (b"bcc", b"resent-bcc", b"return-path")  # the last: RFC 5321 §4.4
_WELL_FORMED = re.compile(rb"(?:[!-9;-~]++:[^\r\n\0]*+(?:\r\n[ \t][^\r\n\0]*+)*+\r\n)*+(?:\r\n)?")
# quoted-string; comment, with comments in it; or what opens neither, with all that follows it
_QUOTED = re.compile(
    rb'"(?:[^"\\]|\\.)*+"|\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*+\))*+\)|(["()\\]).*', re.DOTALL
)
_ADDRESS = re.compile(rb"([^\s<>,;:@]++)@([^\s<>,;:@]++)")


@dataclass(frozen=True, slots=True)
class SubmittedHeader:
    """The fields that matter, found in one pass."""

    content: bytes
    found: tuple[Field, ...]
    is_malformed: bool = False  # it holds other lines than fields, or a NUL, or too much

    @property
    def has_clear_authors(self) -> bool:
        """Whether every `@` in who speaks, outside of quotes and comments, is that of an address we have read."""
        return all(_is_clear(field.value) for field in self.found if field.name in _AUTHOR_FIELDS)

    @property
    def authors(self) -> AuthorFields:
        """Who speaks."""
        resent = [one for name in _RESENT_FIELDS for one in self.addresses(name)]
        return AuthorFields(self.addresses(b"from"), self.addresses(b"sender"), resent)

    def addresses(self, name: bytes) -> tuple[tuple[HeaderAddress, ...], ...]:
        """The addresses of each field of this name (lower case)."""
        return tuple(parse_addresses(field.value) for field in self.found if field.name == name)

    def has(self, name: bytes) -> bool:
        return any(field.name == name for field in self.found)


def read_header(content: bytes) -> SubmittedHeader:
    """Parse the header of a message whose lines end in CR LF."""
    wanted = (*_AUTHOR_FIELDS, *_NEEDED_FIELDS, *_UNWANTED_FIELDS)
    end = header_end(content)
    found = tuple(fields(content, 0, min(end, HEADER_MAXIMUM)))
    return SubmittedHeader(
        content,
        tuple(field for field in found if field.name in wanted),
        end > HEADER_MAXIMUM
        or len(found) > FIELDS_MAXIMUM
        or not _WELL_FORMED.fullmatch(content, 0, end),
    )


def complete_header(
    header: SubmittedHeader,
    now: datetime,
    new_message_id: Callable[[], str],
    *,
    author: tuple[str, str] | None,
) -> bytes:
    """The message without Bcc and Return-Path, with a Date, a Message-ID, and for an app the display name in From.

    `author` is an app's (display name, address): it stands in where From is missing or names no one but the bare
    address. None leaves From alone.
    """
    added = []
    removed = [
        field
        for field in header.found
        if field.name in _UNWANTED_FIELDS or (field.name in _NEEDED_FIELDS and _is_empty(field))
    ]
    if author is not None:
        names = header.addresses(b"from")
        if not names:
            added.append(_from_field(author))
        elif author[0] and _is_bare(names, author[1]):
            removed += [field for field in header.found if field.name == b"from"]
            added.append(_from_field(author))
    if not _has_words(header, b"date"):
        added.append(f"Date: {format_datetime(now)}\r\n".encode())
    if not _has_words(header, b"message-id"):
        added.append(f"Message-ID: <{new_message_id()}>\r\n".encode())
    pieces = added
    position = 0
    for field in sorted(removed, key=lambda field: field.start):
        pieces.append(header.content[position : field.start])
        position = field.end
    pieces.append(header.content[position:])
    return b"".join(pieces) if len(pieces) > 1 else header.content


def _has_words(header: SubmittedHeader, name: bytes) -> bool:
    return any(field.name == name and not _is_empty(field) for field in header.found)


def _is_empty(field: Field) -> bool:
    return field.value.strip() in (b"", b"<>")


def _is_clear(value: bytes) -> bool:
    if len(value) > AUTHORS_MAXIMUM:
        return False
    text = _QUOTED.sub(lambda match: match[1] or b" ", unfold(value))
    if any(mark in text for mark in (b'"', b"(", b")", b"\\")):
        return False
    addresses = parse_addresses(value)
    if text.count(b"@") == len(addresses):
        return True
    # `me@example.org <me@example.org>`: the name says no other address
    known = {f"{one.local_part}@{one.domain}".lower() for one in addresses}
    named = (
        [f"{one[1].decode()}@{one[2].decode()}" for one in _ADDRESS.finditer(text)]
        if text.isascii()
        else []
    )
    return text.count(b"@") == len(named) and all(name.lower() in known for name in named)


def _is_bare(names: tuple[tuple[HeaderAddress, ...], ...], address: str) -> bool:
    if len(names) != 1 or len(names[0]) != 1 or names[0][0].display:
        return False
    only = names[0][0]
    return f"{only.local_part}@{only.domain}".lower() == address.lower()


def _from_field(author: tuple[str, str]) -> bytes:
    name, address = author
    if not address.isascii():
        return f"From: <{address}>\r\n".encode()
    return f"From: {formataddr((name, address))}\r\n".encode()
