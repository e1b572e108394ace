"""The words in which a verdict stands in a stored message and before scripts: X-Spam-Status, X-Spam-Flag, RFC 5235. Pure."""

import re
from collections.abc import Sequence

from accounts.mailstore.headers import fields
from routing.verdicts import NOT_JUDGED, Term, Verdict

TERMS_MAXIMUM = 50  # in the field; the trace has them all
LINE_MAXIMUM = 76
POINTS_MAXIMUM = 1e6

_NOT_OF_A_NAME = re.compile(r"[^A-Z0-9_]")
_STATUS = re.compile(rb"[ \t]*(?:Yes|No), score=(-?\d+\.\d+) required=(\d+\.\d+)")


def status_fields(is_spam: bool, score: float, threshold: float, terms: Sequence[Term]) -> bytes:
    """X-Spam-Status, the heaviest terms first, and X-Spam-Flag for spam. ASCII, and no line is of anybody else."""
    lines = [
        f"X-Spam-Status: {'Yes' if is_spam else 'No'}, score={_number(score)} required={_number(threshold)}"
    ]
    heaviest = sorted(terms, key=lambda term: -abs(term.points))[:TERMS_MAXIMUM]
    words = [f"{_word(term.name)}={_number(term.points)}" for term in heaviest] or ["none"]
    line = "\ttests="
    for index, word in enumerate(words):
        word += "," if index < len(words) - 1 else ""
        if len(line) + len(word) > LINE_MAXIMUM and line.strip() != "tests=":
            lines.append(line)
            line = "\t"
        line += word
    lines.append(line)
    if is_spam:
        lines.append("X-Spam-Flag: YES")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def scores_of(
    score: float, threshold: float, virus: str | None = None
) -> tuple[tuple[str, str], ...]:
    """What `spamtest` and `virustest` read: half of what they may say is at the threshold, all at twice of it (RFC 5235 §3.2, §3.3)."""
    percent = round(min(100.0, max(0.0, 50 * score / threshold)))
    scores = (("spamtest", str(1 + 9 * percent // 100)), ("spamtest.percent", str(percent)))
    if virus is None:
        return scores
    return (*scores, ("virustest", "5" if virus else "1"))


def stored_verdict(prefix: bytes) -> Verdict:
    """What was thought of a stored message, from the fields that this server put before it; a stranger's stand elsewhere."""
    is_spam, scores = False, NOT_JUDGED.scores
    for field in fields(prefix, 0, len(prefix)):
        if field.name == b"x-spam-flag":
            is_spam = True
        elif field.name == b"x-spam-status" and (status := _STATUS.match(field.value)):
            scores = scores_of(float(status[1]), float(status[2]) or 1.0)
    return Verdict(is_spam=is_spam, scores=scores)


def _word(name: str) -> str:
    return _NOT_OF_A_NAME.sub("_", name.upper())[:40] or "_"


def _number(points: float) -> str:
    """With one decimal or two, as needed: 5.0, 1.25."""
    if not abs(points) <= POINTS_MAXIMUM:  # nor NaN
        points = POINTS_MAXIMUM if points > 0 else -POINTS_MAXIMUM
    text = f"{points:.2f}"
    return text[:-1] if text.endswith("0") else text
