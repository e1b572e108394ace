"""envelope (RFC 5228 §5.4)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.mailstore.headers import HeaderAddress, parse_addresses
from routing.sieve.calls import Call
from routing.sieve.language import Extension, Shape, Signature
from routing.sieve.matching import Matcher
from routing.sieve.occasion import needs_delivery
from routing.sieve.texts import Text, texts_of, whole_characters

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

_PARTS = ("from", "to")


@dataclass(frozen=True, slots=True)
class _Envelope:
    parts: Sequence[Text]
    part_of: Callable[[HeaderAddress], str | None]
    matcher: Matcher

    def holds(self, run: "Run") -> bool:
        needs_delivery(run, "envelope")  # RFC 6785 §4.6
        values = []
        for part in texts_of(run, self.parts):
            match part.lower():
                case "from":
                    values += self._values(run.envelope.sender)
                case "to":
                    values += self._values(run.envelope.recipient)
        return self.matcher.matches(run, values)

    def _values(self, path: str) -> list[str]:
        if not path:  # the null reverse-path is the empty string, whatever part is asked for (§5.4)
            return [""]
        # read as a header's, so that both tests see a quoted local part as the same text
        found = parse_addresses(f"<{path}>".encode("utf-8", "surrogatepass"))
        return [
            whole_characters(value) for one in found if (value := self.part_of(one)) is not None
        ]


def _build(call: Call) -> _Envelope:
    for part in call.texts(0):
        if isinstance(part, str) and part.lower() not in _PARTS:
            raise call.invalid(f"{part[:200]!r} is no part of an envelope: from or to", 0)
    return _Envelope(call.texts(0), call.part_of, call.matcher(call.texts(1)))


EXTENSION = Extension(
    "envelope",
    tests=(
        Signature(
            "envelope",
            _build,
            (Shape.STRINGS, Shape.STRINGS),
            matches=True,
            address_part=True,
        ),
    ),
)
