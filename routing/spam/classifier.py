"""How likely a message is spam, from how many learned messages held its tokens.

Naive Bayes over documents: each token's log-odds is smoothed towards nothing, limited, and only the most telling are
added up; the sum is divided by the root of their number, since words of one message do not speak independently.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, sqrt

LEAST_LEARNED = 50
TELLING_LIMIT = 1000
ODDS_LIMIT = 4.0
NOTED = 10
# Added to each count: what was seen seldom says little.
_DOUBT = 0.4
THRESHOLD = 5.0


@dataclass(frozen=True, slots=True)
class Counts:
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
    """`points` reach THRESHOLD where it is spam; `telling` are the tokens that said most, with their log-odds."""

    probability: float
    points: float
    telling: tuple[tuple[str, float], ...]


def classify(
    tokens: Mapping[int, str], counts: Mapping[int, Counts], totals: Totals
) -> Classified | None:
    """`tokens` and `counts` by token_key; None until enough was learned of both."""
    if min(totals.spam, totals.ham) < LEAST_LEARNED:
        return None
    odds = [(_odds(counts[key], totals), token) for key, token in tokens.items() if key in counts]
    odds.sort(key=lambda pair: (-abs(pair[0]), pair[1]))
    telling = odds[:TELLING_LIMIT]
    score = sum(value for value, _ in telling) / sqrt(len(telling) or 1)
    score = max(-30.0, min(30.0, score))
    probability = 1 / (1 + exp(-score))
    noted = tuple((token, value) for value, token in telling[:NOTED])
    return Classified(probability, _points(score), noted)


def _odds(counts: Counts, totals: Totals) -> float:
    spam = (counts.spam + _DOUBT) / (totals.spam + 2 * _DOUBT)
    ham = (counts.ham + _DOUBT) / (totals.ham + 2 * _DOUBT)
    return max(-ODDS_LIMIT, min(ODDS_LIMIT, log(spam / ham)))


# The score at which a message is filed into Spam; a little above even, since ham in Spam costs more.
_BORDER = 4.5


def _points(score: float) -> float:
    return max(-3 * THRESHOLD, min(3 * THRESHOLD, THRESHOLD * score / _BORDER))
