"""The test environment (RFC 5183). The items are those that the run was given; one that is not there never fits."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.language import Extension, Shape, Signature
from routing.sieve.matching import Matcher
from routing.sieve.texts import Text, text_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _Environment:
    name: Text
    matcher: Matcher
    counts: bool

    def holds(self, run: "Run") -> bool:
        value = run.environment.get(text_of(run, self.name).lower())
        if value is None:
            run.note("there is no such item")
            return False
        return self.matcher.matches(run, [value] if value or not self.counts else [])


def _build(call: Call) -> _Environment:
    counts = call.match_type is not None and call.match_type.name == "count"  # §4
    return _Environment(call.text(0), call.matcher(call.texts(1)), counts)


EXTENSION = Extension(
    "environment",
    tests=(Signature("environment", _build, (Shape.STRING, Shape.STRINGS), matches=True),),
)
