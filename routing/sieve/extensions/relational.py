"""relational: the match types `:count` and `:value` (RFC 5231)."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from routing.sieve.errors import InvalidUse
from routing.sieve.language import Extension
from routing.sieve.matching import Comparator, Keys, Matcher, MatchType, PairMatcher

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

_RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
    "eq": operator.eq,
    "ne": operator.ne,
}


def _relation(name: str) -> Callable[[Any, Any], bool]:
    relation = _RELATIONS.get(name.lower())
    if relation is None:
        raise InvalidUse(f"{name[:50]!r} is no relation: gt, ge, lt, le, eq or ne")
    return relation


def _value(keys: Keys, comparator: Comparator, name: str) -> Matcher:
    relation, key = _relation(name), comparator.key

    def fits(run: "Run", text: str, prepared: Any) -> bool:
        return relation(key(text), prepared)

    return PairMatcher(keys.prepared_by(key), fits)


@dataclass(frozen=True, slots=True)
class _Count:
    """How many values there are, compared with the keys (§4.2)."""

    keys: Keys
    key: Callable[[str], Any]
    relation: Callable[[Any, Any], bool]

    def matches(self, run: "Run", values: Sequence[str]) -> bool:
        count = str(len(values))
        for key, prepared in self.keys.of(run):
            is_fit = self.relation(self.key(count), prepared)
            if run.trace is not None:
                run.trace.compared(count, key, is_fit)
            if is_fit:
                return True
        return False


def _count(keys: Keys, comparator: Comparator, name: str) -> Matcher:
    return _Count(keys.prepared_by(comparator.key), comparator.key, _relation(name))


EXTENSION = Extension(
    "relational",
    match_types=(
        MatchType("value", _value, takes_value=True),
        MatchType("count", _count, takes_value=True),
    ),
)
