"""The test duplicate (RFC 7352): whether a message of the same id came before. What was seen is kept with the delivery."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.actions import Memory
from routing.sieve.calls import Call
from routing.sieve.header_names import is_header_name
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.occasion import needs_delivery
from routing.sieve.texts import Text, text_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

DEFAULT_SECONDS = 7 * 86_400
SECONDS_MAXIMUM = 365 * 86_400


@dataclass(frozen=True, slots=True)
class _Duplicate:
    """`header` is where the id stands; None: `unique_id` is it."""

    header: Text | None
    unique_id: Text
    handle: Text
    seconds: int
    refreshes: bool

    def holds(self, run: "Run") -> bool:
        needs_delivery(run, "duplicate")  # RFC 7352 §3.4
        unique_id = self._unique_id(run)
        if unique_id is None or self.seconds == 0:
            return False
        named = repr((text_of(run, self.handle), unique_id))
        key = hashlib.sha256(named.encode("utf-8", "surrogatepass")).digest()
        run.ask("duplicate", key)
        was_seen = run.host.was_seen("duplicate", key)
        if run.trace is not None:
            run.note(f"the id {unique_id[:200]!r} was {'' if was_seen else 'not '}seen before")
        if not was_seen or self.refreshes:
            run.memories.append(Memory("duplicate", key, self.seconds))
        return was_seen

    def _unique_id(self, run: "Run") -> str | None:
        if self.header is None:
            return text_of(run, self.unique_id)
        name = text_of(run, self.header)
        found = run.message.fields(name) if is_header_name(name) else ()
        return found[0].text if found else None


def _build(call: Call) -> _Duplicate:
    seconds = call.tag("seconds")
    assert seconds is None or isinstance(seconds, int)
    header: Text | None = "message-id"
    if call.tag_name("id") == "uniqueid":
        header = None
    elif call.has("id"):
        header = call.tag("id")
    return _Duplicate(
        header,
        call.tag("id") if header is None else "",
        call.tag("handle") or "",
        DEFAULT_SECONDS if seconds is None else min(seconds, SECONDS_MAXIMUM),
        call.has("last"),
    )


EXTENSION = Extension(
    "duplicate",
    tests=(
        Signature(
            "duplicate",
            _build,
            tags=(
                TagKind("handle", Shape.STRING),
                TagKind("header", Shape.STRING, "id"),
                TagKind("uniqueid", Shape.STRING, "id"),
                TagKind("seconds", Shape.NUMBER),
                TagKind("last"),
            ),
        ),
    ),
)
