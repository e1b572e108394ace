"""How likely a message is spam, from how many learned messages held its tokens.

Naive Bayes over documents, in views: header, subject, words, pairs of words, links, layout and what stands below are
each judged by themselves, and their judgements are added up. Tokens of one view say much the same many times over (a
disclaimer is fifty words that always come together), so a view's log-odds are divided nearly by their number; and a
long text cannot drown what its header tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import nlargest
from math import exp, log
from typing import NamedTuple

LEAST_LEARNED = 50
THRESHOLD = 5.0
NOTED = 10

ODDS_LIMIT = 4.0
# Added to each count: what was seen once says less than what was seen often.
_DOUBT = 0.1
# Between adding a view's log-odds up (0) and their mean (1).
_DEPENDENCE = 0.8
# A view of fewer tokens than this says as little as if the rest of them were neutral.
_LEAST_TOKENS = 6
# The sum of the views at which a message is filed into Spam: above even, since ham in Spam costs more.
_BORDER = 2.2

_HEADER, _SUBJECT, _WORDS, _PAIRS, _LINKS, _LAYOUT, _BELOW = range(7)
_WEIGHTS = (1.5, 0.5, 1.5, 1.0, 1.0, 0.5, 0.5)
# By what stands before the colon; everything else there is of the header.
_VIEWS = {
    "subject": _SUBJECT,
    "url": _LINKS,
    "path": _LINKS,
    "type": _LAYOUT,
    "encoding": _LAYOUT,
    "charset": _LAYOUT,
    "file": _LAYOUT,
    "tag": _LAYOUT,
    "html": _LAYOUT,
    "layout": _LAYOUT,
    "foot": _BELOW,
    "hidden": _BELOW,
}


class Counts(NamedTuple):
    """In how many learned messages a token stood; in parts of one, where a user's layer lies over a domain's."""

    spam: float
    ham: float


@dataclass(frozen=True, slots=True)
class Totals:
    """How many messages were learned."""

    spam: int
    ham: int


@dataclass(frozen=True, slots=True)
class Classified:
    """`points` reach THRESHOLD where it is spam; `telling` are the tokens that said most, with their share of the points."""

    probability: float
    points: float
    telling: tuple[tuple[str, float], ...]


def classify(
    tokens: Mapping[int, str], counts: Mapping[int, Counts], totals: Totals
) -> Classified | None:
    """`tokens` and `counts` by token_key; None until enough was learned of both."""
    if min(totals.spam, totals.ham) < LEAST_LEARNED:
        return None
    views: tuple[list[tuple[float, str]], ...] = tuple([] for _ in _WEIGHTS)
    odds: dict[Counts, float] = {}
    for key, token in tokens.items():
        seen = counts.get(key)
        if seen is None:
            continue
        if (value := odds.get(seen)) is None:
            value = odds[seen] = _odds(seen, totals)
        before, colon, _ = token.partition(":")
        if colon:
            views[_VIEWS.get(before, _HEADER)].append((value, token))
        else:
            views[_PAIRS if " " in token else _WORDS].append((value, token))
    points = 0.0
    telling: list[tuple[float, str]] = []
    for weight, view in zip(_WEIGHTS, views, strict=True):
        share = THRESHOLD / _BORDER * weight / max(len(view), _LEAST_TOKENS) ** _DEPENDENCE
        points += share * sum(value for value, _ in view)
        view.sort()
        telling += [(share * value, token) for value, token in view[:NOTED] + view[NOTED:][-NOTED:]]
    noted = tuple((token, value) for value, token in nlargest(NOTED, telling, key=_strength))
    points = max(-3 * THRESHOLD, min(3 * THRESHOLD, points))
    return Classified(1 / (1 + exp(-points)), points, noted)


def _strength(pair: tuple[float, str]) -> tuple[float, str]:
    return abs(pair[0]), pair[1]


def _odds(counts: Counts, totals: Totals) -> float:
    spam = (counts.spam + _DOUBT) / (totals.spam + 2 * _DOUBT)
    ham = (counts.ham + _DOUBT) / (totals.ham + 2 * _DOUBT)
    return max(-ODDS_LIMIT, min(ODDS_LIMIT, log(spam / ham)))
