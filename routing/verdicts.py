"""What is thought of a message before scripts see it. Frozen values."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """One sign for or against a message: positive points speak for spam. `name` is one word in capitals, as X-Spam-Status has it."""

    name: str
    points: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`is_spam`: the server files it into Spam. `scores` are what `spamtest` and `virustest` read (RFC 5235), by their names
    in the environment: `spamtest`, `spamtest.percent`, `virustest`.

    `fields` are the header fields that tell the owner of it; `terms` what the score is made of.
    """

    is_spam: bool = False
    scores: tuple[tuple[str, str], ...] = ()
    fields: bytes = b""
    terms: tuple[Term, ...] = ()


NOT_JUDGED = Verdict()
