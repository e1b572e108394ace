"""Which bytes a BODY[section]<partial> is (RFC 9051 §6.4.5.1-2), pure.

What a client reads is the owner's prefix and the blob; a section is some bytes in hand and a slice of the blob.
"""

from dataclasses import dataclass

from accounts.mailstore.sections import MessageSpan, find_part, select_fields
from transport.imap.wire.fetch_items import Section


@dataclass(frozen=True, slots=True)
class Slice:
    """`lead`, then the blob's octets from `start` to `end`."""

    lead: bytes
    start: int
    end: int

    def __len__(self) -> int:
        return len(self.lead) + self.end - self.start

    def partial(self, bounds: tuple[int, int] | None) -> "Slice":
        """The octets that a partial asks for; fewer where the value ends before."""
        if bounds is None:
            return self
        first = min(bounds[0], len(self))
        last = min(first + bounds[1], len(self))
        size = len(self.lead)
        return Slice(
            self.lead[first:last],
            self.start + max(first - size, 0),
            self.start + max(last - size, 0),
        )


def is_in_header(section: Section) -> bool:
    """Whether the message's own header suffices."""
    return not section.path and section.text.startswith("HEADER")


def header_slice(section: Section, header: bytes) -> Slice:
    """A section of the message's own header (prefix and blob's)."""
    return Slice(chosen_fields(section, header), 0, 0).partial(section.partial)


def chosen_fields(section: Section, header: bytes) -> bytes:
    """The whole header, or the fields that the section names."""
    if section.text == "HEADER":
        return header
    return select_fields(header, section.fields, invert=section.text.endswith("NOT"))


def section_slice(section: Section, prefix: bytes, parts: bytes, size: int) -> Slice | None:
    """Where a section lies in a blob of `size` octets; None if there is no such part.

    Of HEADER.FIELDS it is the whole header, without the partial: `chosen_fields` goes on from there.
    """
    if not section.path and not section.text:
        return Slice(prefix, 0, size).partial(section.partial)
    part = find_part(parts, section.path)
    if part is None:
        return None
    if not section.text:
        return Slice(b"", part.body_start, part.end).partial(section.partial)
    if section.text == "MIME":
        lead = prefix if part.is_root else b""
        return Slice(lead, part.header_start, part.body_start).partial(section.partial)
    if part.message is None:
        return None
    return _of_message(section, part.message)


def _of_message(section: Section, message: MessageSpan) -> Slice:
    if section.text == "TEXT":
        return Slice(b"", message.body_start, message.end).partial(section.partial)
    header = Slice(b"", message.header_start, message.body_start)
    return header.partial(section.partial) if section.text == "HEADER" else header
