"""How well judgements tell spam from ham."""

from collections.abc import Sequence
from math import ceil

Judged = Sequence[tuple[float, bool]]
"""Each message's points, and whether it is spam."""


def area_under_curve(judged: Judged) -> float:
    """How often a spam has more points than a ham; equal ones count half. NaN where there are none of one class."""
    ranks = 0.0
    ordered = sorted(judged)
    start = 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and ordered[end][0] == ordered[start][0]:
            end += 1
        ranks += (start + end + 1) / 2 * sum(is_spam for _, is_spam in ordered[start:end])
        start = end
    spam = sum(is_spam for _, is_spam in judged)
    pairs = spam * (len(judged) - spam)
    return (ranks - spam * (spam + 1) / 2) / pairs if pairs else float("nan")


def ham_beside_caught(judged: Judged, recall: float) -> float:
    """The share of ham above the threshold that just catches this share of the spam."""
    spam = sorted((points for points, is_spam in judged if is_spam), reverse=True)
    return shares_reaching(judged, spam[ceil(recall * len(spam)) - 1])[0]


def shares_reaching(judged: Judged, threshold: float) -> tuple[float, float]:
    """The share of ham, and of spam, with that many points; nought of none."""
    reaching = [0, 0]
    total = [0, 0]
    for points, is_spam in judged:
        total[is_spam] += 1
        reaching[is_spam] += points >= threshold
    return reaching[0] / (total[0] or 1), reaching[1] / (total[1] or 1)
