"""Others' scores on our scale, where 5.0 points are spam."""

import math

from transport.filters.values import FilterError

ENOUGH_FOR_SPAM = 5.0
LEAST, MOST = -5.0, 10.0
"""No filter outweighs all other signs, however sure it is."""


def scaled(score: float, threshold: float) -> float:
    """The points of a score where `threshold` is enough for spam. Raises FilterError."""
    if not (math.isfinite(score) and math.isfinite(threshold) and threshold > 0):
        raise FilterError(f"its score is none: {score} of {threshold}")
    return round(min(max(score / threshold * ENOUGH_FOR_SPAM, LEAST), MOST), 2) + 0.0
