"""The test size (RFC 5228 §5.9)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.language import Extension, Shape, Signature, TagKind

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _Size:
    is_over: bool
    octets: int

    def holds(self, run: "Run") -> bool:
        size = run.message.size
        if run.trace is not None:
            run.note(f"the message has {size} octets")
        return size > self.octets if self.is_over else size < self.octets


def _build(call: Call) -> _Size:
    if not call.has("side"):
        raise call.invalid("size needs :over or :under")
    octets = call.tag("side")
    assert isinstance(octets, int)
    return _Size(call.tag_name("side") == "over", octets)


EXTENSION = Extension(
    "",
    tests=(
        Signature(
            "size",
            _build,
            tags=(
                TagKind("over", Shape.NUMBER, "side"),
                TagKind("under", Shape.NUMBER, "side"),
            ),
        ),
    ),
)
