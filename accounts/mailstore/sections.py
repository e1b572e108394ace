"""Where the parts of a message lie: the offset table that `structure.render` packs, and slices by IMAP section.

RFC 9051 §6.4.5.1 (part specifiers): a message's own parts are numbered from 1; a message that is not multipart
has one part 1, its body; below a message/rfc822 part the numbers go on with those of the message within.
"""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MessageSpan:
    """A whole message: HEADER is [header_start:body_start] (the blank line included), TEXT [body_start:end]."""

    header_start: int
    body_start: int
    end: int


@dataclass(frozen=True, slots=True)
class PartSpan:
    """One part: MIME is [header_start:body_start], the part itself [body_start:end].

    `message` is the message within a message/rfc822 part (for the empty path: the message itself), whose HEADER
    and TEXT may be asked for; None for any other part. `is_root`: its header is the message's own, before
    which the owner's prefix stands.
    """

    header_start: int
    body_start: int
    end: int
    message: MessageSpan | None
    is_root: bool


def find_part(parts: bytes, path: tuple[int, ...]) -> PartSpan | None:
    """The part at `path`, as in BODY[1.2]; the whole message for (); None if there is none."""
    raise NotImplementedError


def select_fields(header: bytes, names: Collection[bytes], invert: bool = False) -> bytes:
    """HEADER.FIELDS (or, inverted, HEADER.FIELDS.NOT): the raw fields in their order, with the blank line."""
    raise NotImplementedError
