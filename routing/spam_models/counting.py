"""The counts of one model, changed by whole messages: its totals and its tokens are always the sum of what it knows.

Whoever changes a model holds its row's lock (`lock_models`), so that no two change one token.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from routing.spam_models.models_of import Connection

Keys = Sequence[int]


@dataclass(slots=True)
class Changes:
    """What is to be added to a model, gathered over a batch of messages."""

    messages: Counter[bool] = field(default_factory=Counter)
    tokens: dict[bool, Counter[int]] = field(
        default_factory=lambda: {True: Counter(), False: Counter()}
    )
    taken: set[int] = field(default_factory=set)

    def add(self, keys: Keys, *, is_spam: bool) -> None:
        self.messages[is_spam] += 1
        self.tokens[is_spam].update(keys)

    def take(self, keys: Keys, *, is_spam: bool) -> None:
        self.messages[is_spam] -= 1
        self.tokens[is_spam].subtract(keys)
        self.taken.update(keys)


def bigints(values: Iterable[int]) -> str:
    """An array as PostgreSQL writes it: psycopg takes as long for one element of a list as this for ten."""
    return f"{{{','.join(map(str, values))}}}"


def lock_models(db: Connection, models: Iterable[int]) -> None:
    """Until the transaction ends; always in the order of their ids."""
    db.execute(
        "SELECT FROM routing_spam_model WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
        (sorted(set(models)),),
    )


_COUNT = """
INSERT INTO routing_spam_token (model_id, key, spam, ham)
SELECT %s, * FROM unnest(%s::bigint[], %s::integer[], %s::integer[])
ON CONFLICT (model_id, key) DO UPDATE
    SET spam = routing_spam_token.spam + excluded.spam, ham = routing_spam_token.ham + excluded.ham
"""


def apply(db: Connection, model: int, changes: Changes) -> None:
    """The model's row is locked."""
    spam, ham = changes.tokens[True], changes.tokens[False]
    keys = sorted(key for key in spam.keys() | ham.keys() if spam[key] or ham[key])
    if keys:
        counts = (bigints(spam[key] for key in keys), bigints(ham[key] for key in keys))
        db.execute(_COUNT, (model, bigints(keys), *counts), prepare=True)
    _drop_empty(db, model, changes.taken)
    db.execute(
        "UPDATE routing_spam_model SET spam = spam + %s, ham = ham + %s, trained_at = clock_timestamp()"
        " WHERE id = %s",
        (changes.messages[True], changes.messages[False], model),
    )


def _drop_empty(db: Connection, model: int, keys: Collection[int]) -> None:
    if keys:
        db.execute(
            "DELETE FROM routing_spam_token"
            " WHERE model_id = %s AND key = ANY(%s::bigint[]) AND spam = 0 AND ham = 0",
            (model, bigints(keys)),
        )
