"""A message as scripts see it: its fields decoded, its header editable, its parts found when they are asked for."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from accounts.mailstore.entities import Entity, parse_entities
from accounts.mailstore.headers import (
    HeaderAddress,
    decode_words,
    fields,
    header_end,
    parse_addresses,
    unfold,
)


class HeaderField:
    """One field. `raw` is its value as it came, folds kept, without the last line break."""

    __slots__ = ("_addresses", "_text", "name", "raw")

    def __init__(self, name: str, raw: bytes, text: str | None = None) -> None:
        self.name = name
        self.raw = raw
        self._text = text
        self._addresses: Sequence[HeaderAddress] | None = None

    @property
    def text(self) -> str:
        """The value unfolded and decoded (RFC 5228 §2.4.2.2, RFC 2047), without white space around it."""
        if self._text is None:
            self._text = decode_words(unfold(self.raw)).strip()
        return self._text

    @property
    def addresses(self) -> Sequence[HeaderAddress]:
        if self._addresses is None:
            self._addresses = parse_addresses(self.raw)
        return self._addresses


class Message:
    """Never changes: an edit gives another message, which shares the body."""

    def __init__(self, content: bytes) -> None:
        self._original = content
        self.enclosed: Message | None = None  # by the last `enclose`; it is what a redirect sends
        self.texts: dict[tuple[str, int], str] = {}  # of its parts, as they are decoded
        self.values: dict[Any, list[str]] = {}  # of its header, as tests ask for them
        self._header_fields: Sequence[HeaderField] | None = None
        self._unedited: Message | None = None

    @cached_property
    def content(self) -> bytes:
        """All octets, edits included."""
        if self._header_fields is None:
            return self._original
        lines = [b"%b:%b\r\n" % (_octets(one.name), one.raw) for one in self._header_fields]
        return b"".join(lines) + self._beyond + b"\r\n" + self.body

    @property
    def size(self) -> int:
        """In octets (RFC 5228 §5.9)."""
        if self._header_fields is None:
            return len(self._original)
        header = sum(len(_octets(one.name)) + len(one.raw) + 3 for one in self._header_fields)
        return header + len(self._beyond) + 2 + len(self._original) - self._body_start

    @property
    def body(self) -> bytes:
        return self._original[self._body_start :]

    @property
    def has_body(self) -> bool:
        """Whether an empty line ends the header, be there nothing behind it."""
        header = self._original[: self._body_start]
        return header.endswith((b"\n\r\n", b"\n\n")) or header in (b"\r\n", b"\n")

    @cached_property
    def header_fields(self) -> Sequence[HeaderField]:
        """In their order."""
        if self._header_fields is not None:
            return self._header_fields
        content = self._original
        return [
            # the name as it is written, which an edit of another field leaves as it was
            HeaderField(content[one.start : one.start + len(one.name)].decode("ascii"), one.value)
            for one in fields(content, 0, self._body_start)
        ]

    def fields(self, name: str) -> Sequence[HeaderField]:
        """Those of this name, in any case, in their order."""
        return self._by_name.get(name.lower(), ())

    @cached_property
    def root(self) -> Entity:
        """The tree of its parts (offsets into `content`)."""
        return parse_entities(self.content)

    @property
    def unedited(self) -> "Message":
        """The same body under the header that it came with: parts are found in it whatever is edited (RFC 5293 §7), once."""
        return self._unedited or self

    def with_header(self, header_fields: Iterable[HeaderField]) -> "Message":
        """The same body under another header."""
        other = Message(self._original)
        other._header_fields = tuple(header_fields)
        other.enclosed = self.enclosed
        other._unedited = self.unedited
        return other

    @cached_property
    def _body_start(self) -> int:
        return header_end(self._original)

    @cached_property
    def _beyond(self) -> bytes:
        """What the header has beyond that is looked at (`fields` has bounds): an edit leaves it there."""
        content = self._original
        end = max((one.end for one in fields(content, 0, self._body_start)), default=0)
        return content[end : self._body_start].removesuffix(b"\r\n") if end else b""

    @cached_property
    def _by_name(self) -> dict[str, list[HeaderField]]:
        by_name: dict[str, list[HeaderField]] = {}
        for one in self.header_fields:
            by_name.setdefault(one.name.lower(), []).append(one)
        return by_name


def entities(root: Entity) -> Iterator[Entity]:
    """It and all that it holds, in the order of the message."""
    waiting = [root]
    while waiting:
        entity = waiting.pop()
        yield entity
        waiting.extend(reversed(entity.children))


def _octets(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
