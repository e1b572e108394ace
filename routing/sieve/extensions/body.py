"""body: the test of that name (RFC 5173).

`:text` are the parts of text, HTML without its tags. Match variables are left alone (§6).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.mailstore.entities import Entity
from routing.sieve.calls import Call
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.matching import Matcher
from routing.sieve.message import Message, entities
from routing.sieve.part_texts import part_text, raw_text, shown_text
from routing.sieve.texts import Text, texts_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _Body:
    """`types` are those of `:content`."""

    values: Callable[[Message, Sequence[str]], Iterable[str]]
    types: Sequence[Text]
    matcher: Matcher

    def holds(self, run: "Run") -> bool:
        if not run.message.has_body:
            return self.matcher.matches(run, ())
        before = run.match_values
        try:
            return self.matcher.matches(run, self._values(run))
        finally:
            run.match_values = before

    def _values(self, run: "Run") -> list[str]:
        values = []
        for value in self.values(run.message.unedited, texts_of(run, self.types)):
            run.look_at(len(value))  # it was decoded for this test
            values.append(value)
        return values


def _raw(message: Message, types: Sequence[str]) -> Iterator[str]:
    """§5.1"""
    yield raw_text(message.body)


def _text(message: Message, types: Sequence[str]) -> Iterator[str]:
    """§5.3"""
    for entity in entities(message.root):
        if entity.media_type.type == b"text":
            yield shown_text(message, entity)


def _content(message: Message, types: Sequence[str]) -> Iterator[str]:
    """§5.2"""
    wanted = {one.lower().encode() for one in types if one.count("/") < 2 and one.strip("/") == one}
    for entity in entities(message.root):
        media_type = entity.media_type
        whole = media_type.type + b"/" + media_type.subtype
        if wanted.isdisjoint((b"", media_type.type.lower(), whole.lower())):
            continue
        if entity.is_multipart:
            yield from _around(message.content, entity)
        elif entity.is_message and entity.children:
            inner = entity.children[0]
            yield raw_text(message.content[inner.header_start : inner.body_start]).strip() + "\r\n"
        else:
            yield part_text(message, entity)


def _around(content: bytes, entity: Entity) -> Iterator[str]:
    """The prologue and the epilogue of a multipart."""
    first, last = entity.children[0], entity.children[-1]
    # up to the line before the first part, which is the boundary
    boundary = content.rfind(
        b"\n", entity.body_start, max(first.header_start - 1, entity.body_start)
    )
    yield raw_text(content[entity.body_start : max(boundary + 1, entity.body_start)])
    # behind the line break after the last part, and the line of the last boundary
    line = content.find(b"\n", last.end, entity.end)
    end = content.find(b"\n", line + 1, entity.end) if line >= 0 else -1
    yield raw_text(content[end + 1 : entity.end]) if end >= 0 else ""


_TRANSFORMS: dict[str, Callable[[Message, Sequence[str]], Iterable[str]]] = {
    "": _text,
    "text": _text,
    "raw": _raw,
    "content": _content,
}


def _build(call: Call) -> _Body:
    values = _TRANSFORMS[call.tag_name("transform")]
    return _Body(values, call.tag("transform") or (), call.matcher(call.texts(0)))


EXTENSION = Extension(
    "body",
    tests=(
        Signature(
            "body",
            _build,
            (Shape.STRINGS,),
            tags=(
                TagKind("raw", group="transform"),
                TagKind("text", group="transform"),
                TagKind("content", Shape.STRINGS, "transform"),
            ),
            matches=True,
        ),
    ),
)
