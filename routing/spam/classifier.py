"""How likely a message is spam, from how many learned messages held its tokens.

Naive Bayes over documents, in views: header, subject, words, pairs of words, links, layout and what stands below are
each judged by themselves, and their judgements are added up. Tokens of one view say much the same many times over (a
disclaimer is fifty words that always come together), so a view's log-odds are divided nearly by their number; and a
long text cannot drown what its header tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, fsum, log
from typing import Literal, NamedTuple

from routing.spam.views import BELOW, BITS, HEADER, LAYOUT, LINKS, PAIRS, SUBJECT, VIEW, WORDS

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
_BORDER = 2.8

_WEIGHTS = {
    HEADER: 1.5,
    SUBJECT: 0.5,
    WORDS: 1.5,
    PAIRS: 1.0,
    LINKS: 1.0,
    LAYOUT: 0.5,
    BELOW: 0.5,
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
    tokens: Mapping[int, str],
    counts: Mapping[int, Counts | Literal[False] | None],
    totals: Totals,
) -> Classified | None:
    """`tokens` and `counts` by token_key; None until enough was learned of both."""
    if min(totals.spam, totals.ham) < LEAST_LEARNED:
        return None
    even = log((totals.ham + 2 * _DOUBT) / (totals.spam + 2 * _DOUBT))
    odds: dict[Counts, float] = {}
    views: list[list[float]] = [[] for _ in range(1 << BITS)]
    strong: list[tuple[float, int, str]] = []
    for key, token, seen in zip(tokens, tokens.values(), map(counts.get, tokens), strict=True):
        if not seen:
            continue
        if (value := odds.get(seen)) is None:
            spam, ham = seen
            value = log((spam + _DOUBT) / (ham + _DOUBT)) + even
            value = odds[seen] = max(-ODDS_LIMIT, min(ODDS_LIMIT, value))
        views[key & VIEW].append(value)
        if not -1 < value < 1:
            strong.append((value, key & VIEW, token))
    shares = [0.0] * len(views)
    for view, weight in _WEIGHTS.items():
        shares[view] = weight / max(len(views[view]), _LEAST_TOKENS) ** _DEPENDENCE
    # in whatever order the tokens come, the sum is the same to its last bit
    score = fsum(share * fsum(view) for share, view in zip(shares, views, strict=True))
    # No more than three thresholds either way, whatever is said: other signs are to count beside it.
    scale = 3 * THRESHOLD / (2 * _BORDER + abs(score))
    telling = sorted([(shares[view] * value, token) for value, view, token in strong])
    extremes = telling[:NOTED] + telling[NOTED:][-NOTED:]
    extremes.sort(key=lambda pair: -abs(pair[0]))
    noted = tuple((token, value * scale) for value, token in extremes[:NOTED])
    points = scale * score
    return Classified(1 / (1 + exp(-points)), points, noted)
