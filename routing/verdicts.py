"""What is thought of a message before scripts see it. Frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass

from accounts.mailstore.values import MailboxId


@dataclass(frozen=True, slots=True)
class Term:
    """One sign for or against a message: positive points speak for spam. `name` is one word in capitals, as X-Spam-Status has it."""

    name: str
    points: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is thought of it for one mailbox. `is_spam`: the server files it into Spam.

    `scores` are what `spamtest` and `virustest` read (RFC 5235), by their names in the environment: `spamtest`,
    `spamtest.percent`, `virustest`. `fields` are the header fields that tell the owner of it; `terms` what `score` is made
    of; `telling` the words that said most, with their weights. `refusal` is the reply for a sender who waits, where the
    owner wants it refused, or "".
    """

    is_spam: bool = False
    scores: tuple[tuple[str, str], ...] = ()
    fields: bytes = b""
    terms: tuple[Term, ...] = ()
    score: float = 0.0
    threshold: float = 0.0
    refusal: str = ""
    telling: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()


NOT_JUDGED = Verdict()

Verdicts = Mapping[MailboxId, Verdict]
