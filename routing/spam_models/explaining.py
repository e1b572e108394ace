"""Why the models think of a message what they do: its most telling tokens, and how often those were learned."""

from dataclasses import dataclass

from accounts.mailstore.values import MailboxId
from routing.spam.classifier import Classified, Counts
from routing.spam.tokens import keys_of, token_key, tokens_of
from routing.spam_models.models_of import Connection
from routing.spam_models.remembered import Judges
from routing.spam_models.scoring import counts_of, judges_of, score_messages

_NONE = Counts(0, 0)


@dataclass(frozen=True, slots=True)
class Telling:
    """`points` are its share of all; above nothing they speak for spam. The counts are of messages learned."""

    token: str
    points: float
    domain: Counts
    own: Counts


@dataclass(frozen=True, slots=True)
class Explanation:
    """`classified` is None while the domain has not learned enough."""

    judges: Judges
    tokens: int
    known: int
    classified: Classified | None = None
    telling: tuple[Telling, ...] = ()


def explain(db: Connection, content: bytes, mailbox: MailboxId) -> Explanation:
    """What would be thought of the message now."""
    tokens = keys_of(tokens_of(content))
    judges = judges_of(db, [mailbox]).get(mailbox, Judges())
    classified = score_messages(db, tokens, [mailbox])[mailbox]
    if judges.domain is None or classified is None:
        return Explanation(judges, len(tokens), 0)
    counts = counts_of(db, tokens, [one for one in (judges.domain, judges.own) if one])
    own = counts[judges.own] if judges.own else {}
    return Explanation(
        judges,
        len(tokens),
        len(counts[judges.domain]),
        classified,
        tuple(
            Telling(text, points, counts[judges.domain].get(key, _NONE), own.get(key, _NONE))
            for text, points in classified.telling
            for key in [token_key(text)]
        ),
    )
