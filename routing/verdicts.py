"""What is thought of a message before scripts see it. Frozen values; the classifier that fills them comes later."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """`is_spam`: the server files it into Spam. `scores` are what `spamtest` and `virustest` read (RFC 5235), by their names
    in the environment: `spamtest`, `spamtest.percent`, `virustest`.
    """

    is_spam: bool = False
    scores: tuple[tuple[str, str], ...] = ()


NOT_JUDGED = Verdict()
