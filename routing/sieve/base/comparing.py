"""The comparators and match types of the base language: RFC 5228 §2.7.1, §2.7.3; RFC 4790 §9.2, §9.3."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from routing.sieve.errors import InvalidUse
from routing.sieve.language import Extension
from routing.sieve.matching import Comparator, Keys, Matcher, MatchType, PairMatcher
from routing.sieve.wildcards import Wildcards

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run


def ascii_folded(text: str) -> str:
    """Letters of ASCII in lower case, all others as they are."""
    if text.isascii():
        return text.lower()
    # those of bytes are changed in ASCII only, and that is ten times as fast as str.translate
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def ascii_ordered(text: str) -> str:
    """Letters of ASCII in upper case: what i;ascii-casemap puts in order (RFC 4790 §9.2.1)."""
    if text.isascii():
        return text.upper()
    return text.encode("utf-8", "surrogatepass").upper().decode("utf-8", "surrogatepass")


def _same(text: str) -> str:
    return text


def _is(keys: Keys, comparator: Comparator, value: str) -> Matcher:
    key = comparator.key

    def fits(run: "Run", text: str, prepared: Any) -> bool:
        return bool(key(text) == prepared)

    return PairMatcher(keys.prepared_by(key), fits)


def _contains(keys: Keys, comparator: Comparator, value: str) -> Matcher:
    fold = _folding(comparator)

    def fits(run: "Run", text: str, prepared: Any) -> bool:
        return prepared in fold(text)

    return PairMatcher(keys.prepared_by(fold), fits)


@dataclass(frozen=True, slots=True)
class _Matches:
    fold: Callable[[str], str]

    def fits(self, run: "Run", text: str, pattern: Any) -> bool:
        run.look_at(pattern.work(len(text)))
        folded = self.fold(text)
        spans = pattern.match(folded)
        if spans is None:
            return False
        source = text if len(folded) == len(text) else folded
        run.match_values = (text, *(source[start:end] for start, end in spans))
        return True


def _matches(keys: Keys, comparator: Comparator, value: str) -> Matcher:
    fold = _folding(comparator)
    return PairMatcher(keys.prepared_by(lambda key: Wildcards(fold(key))), _Matches(fold).fits)


def _folding(comparator: Comparator) -> Callable[[str], str]:
    if comparator.fold is None:
        raise InvalidUse(f"the comparator {comparator.name} knows no substrings")
    return comparator.fold


EXTENSION = Extension(
    "",
    comparators=(
        Comparator("i;octet", _same, _same),
        Comparator("i;ascii-casemap", ascii_ordered, ascii_folded),
    ),
    match_types=(
        MatchType("is", _is),
        MatchType("contains", _contains),
        MatchType("matches", _matches),
    ),
)
