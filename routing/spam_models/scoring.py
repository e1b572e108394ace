"""What the models think of a message, for each mailbox that it goes to.

One query for who judges, and one for all tokens in all models, each only for what the process does not remember.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from struct import Struct

from accounts.mailstore.prepared import rows_of
from accounts.mailstore.values import MailboxId
from routing.spam.classifier import LEAST_LEARNED, Classified, Counts, Totals, classify
from routing.spam.layers import LEAST_TAUGHT, layered
from routing.spam.tokens import keys_of, tokens_of
from routing.spam.views import PAIRS, VIEW
from routing.spam_models.counting import bigints
from routing.spam_models.models_of import DOMAIN, OWNERS, Connection
from routing.spam_models.remembered import Judges, Known, Model, Remembered

LAYERS_MAXIMUM = 20
"""A message to more users who taught enough is judged for the rest by their domains alone."""

_COUNTS = Struct("!qii")
_remembered = Remembered()

_JUDGES = f"""
SELECT b.id, d.id, d.spam, d.ham, d.trained_at, p.id, p.spam, p.ham, p.trained_at
FROM {OWNERS}
LEFT JOIN routing_spam_model d
    ON d.domain_id = {DOMAIN} AND LEAST(d.spam, d.ham) >= {LEAST_LEARNED}
LEFT JOIN routing_spam_model p
    ON p.mailbox_id = b.id AND LEAST(p.spam, p.ham) >= {LEAST_TAUGHT}
WHERE b.id = ANY($1::bigint[])
""".encode()
# A join with unnest would be a hash of the whole table to the planner.
_TOKENS = b"""
SELECT m.id, (
    SELECT string_agg(int8send(t.key) || int4send(t.spam) || int4send(t.ham), NULL)
    FROM routing_spam_token t WHERE t.model_id = m.id AND t.key = ANY($1::bigint[]))
FROM unnest($2::bigint[]) AS m (id)
"""


def score_content(
    db: Connection, content: bytes, mailboxes: Sequence[MailboxId]
) -> dict[MailboxId, Classified | None]:
    """By mailbox; None: its domain has not learned enough yet. Where none has, the message is not even read."""
    if any(judges.domain for judges in judges_of(db, mailboxes).values()):
        return score_messages(db, keys_of(tokens_of(content)), mailboxes)
    return dict.fromkeys(mailboxes)


def score_messages(
    db: Connection, tokens: Mapping[int, str], mailboxes: Sequence[MailboxId]
) -> dict[MailboxId, Classified | None]:
    """The same for a message's tokens by their keys (`keys_of`)."""
    found: dict[MailboxId, Classified | None] = dict.fromkeys(mailboxes)
    judges = {box: one for box, one in judges_of(db, mailboxes).items() if one.domain}
    own = [one.own for one in judges.values() if one.own][:LAYERS_MAXIMUM]
    domains = {one.domain for one in judges.values() if one.domain}
    known = _known(db, tokens, [*domains, *own])
    of_all = {model: classify(tokens, known[model], model.totals) for model in domains}
    layers = {model: _learned(known[model]) for model in known} if own else {}
    for mailbox, one in judges.items():
        if one.domain is None:
            continue
        found[mailbox] = of_all[one.domain]
        if one.own in own:
            totals = one.domain.totals
            mixed = layered(layers[one.domain], totals, layers[one.own], one.own.totals)
            found[mailbox] = classify(tokens, mixed, totals)
    return found


def judges_of(db: Connection, mailboxes: Sequence[MailboxId]) -> dict[MailboxId, Judges]:
    """Who judges each mailbox's mail."""
    found = _remembered.judges(mailboxes)
    missing = [mailbox for mailbox in mailboxes if mailbox not in found]
    if missing:
        rows = rows_of(db, _JUDGES, [bigints(missing)])
        news = {MailboxId(row[0]): Judges(_model(*row[1:5]), _model(*row[5:9])) for row in rows}
        _remembered.keep_judges(news)
        found |= news
    return found


def _model(id_: int | None, spam: int, ham: int, trained_at: datetime) -> Model | None:
    return None if id_ is None else Model(id_, Totals(spam, ham), trained_at)


def counts_of(
    db: Connection, tokens: Mapping[int, str], models: Iterable[Model]
) -> dict[Model, dict[int, Counts]]:
    """Of those tokens that were ever learned, by model."""
    return {model: _learned(known) for model, known in _known(db, tokens, models).items()}


def _learned(known: Mapping[int, Known | None]) -> dict[int, Counts]:
    return {key: count for key, count in known.items() if count}


def _known(
    db: Connection, tokens: Mapping[int, str], models: Iterable[Model]
) -> dict[Model, dict[int, Known | None]]:
    """What is known of each token, by model; nothing is what was never learned."""
    known: dict[Model, dict[int, Known | None]] = {}
    missing: set[int] = set()
    for model in models:
        found = _remembered.counts(model, tokens)
        known[model] = dict(zip(tokens, found, strict=True))
        if None in found:
            missing.update(key for key, count in known[model].items() if count is None)
    if missing:
        by_id = {model.id: model for model in known}
        for id_, packed in rows_of(db, _TOKENS, [bigints(missing), bigints(by_id)]):
            learned = {
                key: Counts(spam, ham) for key, spam, ham in _COUNTS.iter_unpack(packed or b"")
            }
            known[by_id[id_]].update(learned)
            # Pairs that were never learned hardly come again: kept, they would push out what does.
            never: dict[int, Known] = {key: False for key in missing if key & VIEW != PAIRS}
            _remembered.keep_counts(by_id[id_], never | learned)
    return known
