r"""regex: the match type `:regex`, and the modifier `:quoteregex` (draft-ietf-sieve-regex-01).

Expressions are those of POSIX (the leftmost, then the longest match), with \d, \w, \b, (?i) and (?:...) besides, by an
engine that is linear in the text: there are no back references. Letters of any case fit where the comparator has it so.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import re2

from routing.sieve.errors import InvalidUse
from routing.sieve.language import Extension
from routing.sieve.matching import Comparator, Keys, Matcher, MatchType, PairMatcher
from routing.sieve.modifiers import MODIFIED, modifier

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

EXPRESSION_MAXIMUM = 2000  # characters
PROGRAM_OCTETS = 1 << 20  # of one expression, its automaton included
PROGRAM_MAXIMUM = 2500  # steps of one expression
_STEPS_A_CHARACTER = (
    2  # that cost what looking at a character costs, when the automaton grows too large
)
_STEP_COST = 256  # to compile one, in characters looked at
_SPECIAL = str.maketrans({letter: f"\\{letter}" for letter in r"\^$.|?*+()[]{}"})


def _build(keys: Keys, comparator: Comparator, value: str) -> Matcher:
    fold = comparator.fold
    if fold is None:
        raise InvalidUse(f"the comparator {comparator.name} knows no regular expressions")
    has_case = fold("a") != fold("A")
    return PairMatcher(keys.prepared_by(lambda text: _compiled(text, has_case), _cost), _fits)


@lru_cache(maxsize=500)
def _compiled(expression: str, has_case: bool) -> Any:
    if len(expression) > EXPRESSION_MAXIMUM:
        raise InvalidUse(f"a regular expression has at most {EXPRESSION_MAXIMUM} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = PROGRAM_OCTETS
    options.longest_match = True
    options.dot_nl = True
    options.case_sensitive = has_case
    try:
        compiled = re2.compile(_octets(expression), options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise InvalidUse(f"{expression[:200]!r} is no regular expression: {text}") from None
    if compiled.programsize > PROGRAM_MAXIMUM:
        raise InvalidUse(f"{expression[:200]!r} repeats too much")
    return compiled


def _cost(compiled: Any) -> int:
    """As for one that was never compiled before, though it may be remembered."""
    return int(compiled.programsize) * _STEP_COST


def _fits(run: "Run", text: str, expression: Any) -> bool:
    run.look_at(len(text) * (expression.programsize // _STEPS_A_CHARACTER))
    match = expression.search(_octets(text))
    if match is None:
        return False
    groups = (match.group(), *match.groups())
    run.match_values = tuple((group or b"").decode("utf-8", "surrogateescape") for group in groups)
    return True


def _octets(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no octet
        return text.encode("utf-8", "replace")


def _quoted(text: str) -> str:
    return text.translate(_SPECIAL)


EXTENSION = Extension(
    "regex",
    tags=((MODIFIED, modifier("quoteregex", 20, _quoted)),),
    match_types=(MatchType("regex", _build),),
)
