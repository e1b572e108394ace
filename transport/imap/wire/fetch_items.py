"""What a FETCH can ask for (RFC 9051 §6.4.5, with RFC 3501's macros and RFC822 items), pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attribute:
    """An item without arguments: FLAGS, UID, INTERNALDATE, RFC822.SIZE, ENVELOPE, BODY, BODYSTRUCTURE, MODSEQ."""

    name: bytes


@dataclass(frozen=True, slots=True)
class Section:
    """BODY[…], BODY.PEEK[…] and RFC822, RFC822.HEADER, RFC822.TEXT.

    `path` are the part numbers; `text` is "", HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT or MIME; `label` is
    what stands before the value in the response, without the partial's origin.
    """

    path: tuple[int, ...]
    text: str
    fields: tuple[bytes, ...]
    peek: bool
    partial: tuple[int, int] | None
    label: bytes


FetchItem = Attribute | Section

ALL = (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE")
MACROS: dict[bytes, tuple[bytes, ...]] = {
    b"ALL": ALL,
    b"FAST": ALL[:3],
    b"FULL": (*ALL, b"BODY"),
}
