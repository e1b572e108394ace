"""Comparators and match types: how a test compares what it found with its keys. RFC 5228 §2.7, RFC 4790."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from routing.sieve.texts import Text, constants, texts_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


@dataclass(frozen=True, slots=True)
class Comparator:
    """`key` makes two equal strings the same and orders others; `fold` does so for substrings (None: it has none).

    Folding keeps each character's place where it can, since what wildcards matched is cut from the unfolded string.
    `cost`: what a character that is not ASCII costs it, in characters looked at.
    """

    name: str
    key: Callable[[str], Any]
    fold: Callable[[str], str] | None
    cost: int = 1


class Matcher(Protocol):
    def matches(self, run: "Run", values: Sequence[str]) -> bool:
        """Whether one of the values fits one of the keys (or whatever else the match type asks)."""
        ...


@dataclass(frozen=True, slots=True)
class CostlyMatcher:
    """Another one, whose comparator costs more than a look at each character. `cost` is for all keys."""

    matcher: Matcher
    cost: int

    def matches(self, run: "Run", values: Sequence[str]) -> bool:
        run.look_at(self.cost * sum(len(value) for value in values if not value.isascii()))
        return self.matcher.matches(run, values)


@dataclass(frozen=True, slots=True)
class MatchType:
    """`takes_value`: the tag is followed by a string, as `:count "gt"`. `build` raises InvalidUse."""

    name: str
    build: Callable[["Keys", Comparator, str], Matcher]
    takes_value: bool = False


class Keys:
    """The key list of a test, prepared once where it is constant."""

    __slots__ = ("_cost", "_prepare", "_prepared", "_spend", "texts")

    def __init__(
        self,
        texts: Sequence[Text],
        spend: Callable[[int], None],
        prepare: Callable[[str], Any] | None = None,
        cost: Callable[[Any], int] | None = None,
    ) -> None:
        """`prepare` (of a folded key, a pattern) may raise InvalidUse, for a constant at once.

        `cost`: what it was to prepare a thing, in characters looked at, where that is much; `spend` takes it from what
        a script may cost to compile.
        """
        self.texts = texts
        self._spend = spend if prepare is None else _is_free  # what was prepared keeps no checker
        self._prepare = prepare or str
        self._cost = cost
        known = constants(texts) if prepare is not None else None
        self._prepared = None if known is None else self._pairs(known, spend)

    def prepared_by(
        self, prepare: Callable[[str], Any], cost: Callable[[Any], int] | None = None
    ) -> "Keys":
        return Keys(self.texts, self._spend, prepare, cost)

    def of(self, run: "Run") -> Sequence[tuple[str, Any]]:
        """Each key, and what was prepared of it."""
        if self._prepared is not None:
            return self._prepared
        return self._pairs(texts_of(run, self.texts), run.look_at)

    def _pairs(
        self, texts: Sequence[str], spend: Callable[[int], None]
    ) -> Sequence[tuple[str, Any]]:
        prepare, cost = self._prepare, self._cost
        if cost is None:
            return [(text, prepare(text)) for text in texts]
        pairs = []
        for text in texts:
            pairs.append((text, prepare(text)))
            spend(cost(pairs[-1][1]))
        return pairs


def _is_free(octets: int) -> None:
    pass


COMPARISON_COST = 128  # of one with nothing, in characters looked at


class PairMatcher:
    """A match type that looks at one value and one key at a time. `fits` gets the value and the prepared key."""

    __slots__ = ("_fits", "_keys")

    def __init__(self, keys: Keys, fits: Callable[["Run", str, Any], bool]) -> None:
        self._keys = keys
        self._fits = fits

    def matches(self, run: "Run", values: Sequence[str]) -> bool:
        keys, fits, trace = self._keys.of(run), self._fits, run.trace
        if trace is not None and not values:
            trace.note("there is nothing to compare")
        for value in values:
            run.look_at((len(value) + COMPARISON_COST) * len(keys))
            for key, prepared in keys:
                is_fit = fits(run, value, prepared)
                if trace is not None:
                    trace.compared(value, key, is_fit)
                if is_fit:
                    return True
        return False
