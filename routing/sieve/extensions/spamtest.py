"""spamtest, spamtestplus and virustest (RFC 5235): what was found before the script ran.

Read from the environment: `spamtest` is 0 to 10, `spamtest.percent` 0 to 100, `virustest` 0 to 5; what is missing was
not tested, which is "0".
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.matching import Matcher

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class _Score:
    """`counts`: `:count` tells "0" for what was not tested, which is another thing than a result of 0 (§3.2.2)."""

    item: str
    matcher: Matcher
    counts: bool

    def holds(self, run: "Run") -> bool:
        value = run.environment.get(self.item)
        if self.counts:
            return self.matcher.matches(run, [] if value is None else [value])
        return self.matcher.matches(run, [value or "0"])


def _build(call: Call) -> _Score:
    item = call.name + (".percent" if call.has("percent") else "")
    counts = call.match_type is not None and call.match_type.name == "count"
    return _Score(item, call.matcher([call.text(0)]), counts)


_SPAMTEST = Signature("spamtest", _build, (Shape.STRING,), matches=True)
SPAMTEST = Extension("spamtest", tests=(_SPAMTEST,))
PLUS = Extension("spamtestplus", tests=(_SPAMTEST,), tags=((("spamtest",), TagKind("percent")),))
VIRUSTEST = Extension(
    "virustest", tests=(Signature("virustest", _build, (Shape.STRING,), matches=True),)
)
