"""What a message counts as, and what changes in the models when that does.

A user's newest vote on a message, told by the SHA-256 of its content, is what it counts as in the user's own model. In
the domain's model it counts once, as what most of its users and the administrator say; where as many say the one as the
other it does not count. So neither the order in which different users' votes are learned matters, nor how often one is
repeated. A message is taken out of a model with the tokens that it was put in with, even when the tokeniser has changed.

Models are bounded: beyond so many messages of a class, the oldest are unlearned, exactly. A user's votes that are forgotten
so no longer speak in the domain either: nobody can fill it alone. (In a domain that the user has left they stay.)
"""

from collections.abc import Mapping
from dataclasses import dataclass

from routing.spam_models.counting import Changes, Keys, apply, bigints, lock_models
from routing.spam_models.models_of import Connection, Models

DOMAIN_MESSAGES = 5000  # of each class
PERSONAL_MESSAGES = 1000


@dataclass(frozen=True, slots=True)
class Vote:
    """`keys` are the message's tokens as they are now. An answer gives way to what the user has said."""

    is_spam: bool
    keys: Keys
    is_answer: bool = False


Votes = Mapping[bytes, Vote]  # by the SHA-256 of the content


def vote(db: Connection, models: Models, votes: Votes) -> Votes:
    """Learn a user's votes within the caller's transaction, which no other has for this user; those that were news."""
    known = {
        bytes(sha256): (is_spam, keys, domain)
        for sha256, is_spam, keys, domain in db.execute(
            "SELECT sha256, is_spam, keys, domain_model_id FROM routing_spam_learned"
            " WHERE model_id = %s AND sha256 = ANY(%s)",
            (models.personal, list(votes)),
            binary=True,
        )
    }
    news = {
        sha256: one
        for sha256, one in votes.items()
        if sha256 not in known
        or (not one.is_answer and known[sha256][::2] != (one.is_spam, models.domain))
    }
    if not news:
        return news
    left = {known[sha256][2] for sha256 in news if sha256 in known} - {models.domain}
    lock_models(db, (models.personal, models.domain, *left))
    changes = Changes()
    for sha256, one in news.items():
        if sha256 in known:
            was_spam, keys, _ = known[sha256]
            changes.take(keys, is_spam=was_spam)
        changes.add(one.keys, is_spam=one.is_spam)
    _keep(db, models.personal, news, domain=models.domain)
    forgotten = _forget_oldest(db, models.personal, PERSONAL_MESSAGES, changes)
    apply(db, models.personal, changes)
    settle(db, models.domain, forgotten | news)
    for domain in left:
        settle(db, domain, news)
    return news


def teach(db: Connection, domain: int, votes: Votes) -> Votes:
    """The same for the administrator's votes in a domain's model."""
    lock_models(db, (domain,))
    known: dict[bytes, bool | None] = dict(
        db.execute(
            "SELECT sha256, taught FROM routing_spam_learned"
            " WHERE model_id = %s AND sha256 = ANY(%s)",
            (domain, list(votes)),
            binary=True,
        ).fetchall()
    )
    news = {sha256: one for sha256, one in votes.items() if known.get(sha256) != one.is_spam}
    settle(db, domain, news, is_taught=True)
    return news


# What each message counts as now, and as what it should. An index finds the votes on a message.
_SETTLE = """
SELECT n.sha256, l.is_spam, l.keys, l.taught, (
    SELECT COALESCE(sum(CASE WHEN v.is_spam THEN 1 ELSE -1 END), 0)::integer
    FROM routing_spam_learned v WHERE v.domain_model_id = %s AND v.sha256 = n.sha256)
FROM unnest(%s::bytea[]) AS n (sha256)
LEFT JOIN routing_spam_learned l ON l.model_id = %s AND l.sha256 = n.sha256
"""


def settle(db: Connection, domain: int, votes: Votes, *, is_taught: bool = False) -> None:
    """Make the domain's model, which is locked, follow the votes on these messages as they stand."""
    changes = Changes()
    settled: dict[bytes, Vote | None] = {}  # None: it is not counted
    taught: dict[bytes, bool | None] = {}
    rows = db.execute(_SETTLE, (domain, list(votes), domain), binary=True).fetchall()
    for sha256, was_spam, old_keys, was_taught, balance in rows:
        sha256 = bytes(sha256)
        taught[sha256] = votes[sha256].is_spam if is_taught else was_taught
        if taught[sha256] is not None:
            balance += 1 if taught[sha256] else -1
        is_spam = balance > 0 if balance else None
        if is_spam == was_spam:
            continue
        if was_spam is not None:
            changes.take(old_keys, is_spam=was_spam)
        if is_spam is None:
            settled[sha256] = None
        else:
            settled[sha256] = Vote(is_spam, votes[sha256].keys)
            changes.add(votes[sha256].keys, is_spam=is_spam)
    _keep(db, domain, settled)
    if is_taught:
        _keep_taught(db, domain, taught)
    db.execute(
        "DELETE FROM routing_spam_learned WHERE model_id = %s AND sha256 = ANY(%s)"
        " AND is_spam IS NULL AND taught IS NULL",
        (domain, list(settled)),
    )
    _forget_oldest(db, domain, DOMAIN_MESSAGES, changes)
    apply(db, domain, changes)


def _keep(
    db: Connection, model: int, votes: Mapping[bytes, Vote | None], domain: int | None = None
) -> None:
    with db.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO routing_spam_learned (model_id, sha256, is_spam, keys, domain_model_id)
            VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (model_id, sha256) DO UPDATE SET is_spam = excluded.is_spam,
                keys = excluded.keys, domain_model_id = excluded.domain_model_id, at = now()
            """,
            [
                (model, sha256, one and one.is_spam, bigints(one.keys if one else ()), domain)
                for sha256, one in votes.items()
            ],
        )


def _keep_taught(db: Connection, domain: int, taught: Mapping[bytes, bool | None]) -> None:
    db.execute(
        """
        INSERT INTO routing_spam_learned (model_id, sha256, keys, taught)
        SELECT %s, n.sha256, '{}', n.taught FROM unnest(%s::bytea[], %s::boolean[]) AS n (sha256, taught)
        ON CONFLICT (model_id, sha256) DO UPDATE SET taught = excluded.taught
        """,
        (domain, list(taught), list(taught.values())),
    )


def _forget_oldest(db: Connection, model: int, limit: int, changes: Changes) -> dict[bytes, Vote]:
    """What goes beyond the limit once `changes` are applied; it is taken out by them."""
    row = db.execute("SELECT spam, ham FROM routing_spam_model WHERE id = %s", (model,)).fetchone()
    assert row is not None
    gone: dict[bytes, Vote] = {}
    for is_spam, count in ((True, row[0]), (False, row[1])):
        excess = count + changes.messages[is_spam] - limit
        if excess <= 0:
            continue
        forgotten = db.execute(
            """
            DELETE FROM routing_spam_learned WHERE model_id = %s AND sha256 = ANY(ARRAY(
                SELECT sha256 FROM routing_spam_learned WHERE model_id = %s AND is_spam = %s
                ORDER BY at, sha256 LIMIT %s))
            RETURNING sha256, keys
            """,
            (model, model, is_spam, excess),
            binary=True,
        )
        for sha256, keys in forgotten:
            changes.take(keys, is_spam=is_spam)
            gone[bytes(sha256)] = Vote(is_spam, keys)
    return gone
