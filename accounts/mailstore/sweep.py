"""What nothing needs any more goes, late: unfiled messages, unused blobs, objects without a row, old change rows.

Messages and blobs wait KEEP_DAYS, so that an undelete, or training, still finds them. Objects wait another day after
their row, so that whoever reads one ends in peace. All of it may run at any time, in several processes.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.errors import ForeignKeyViolation, RestrictViolation

from accounts.journal.retention import trim_journals
from accounts.mailstore.changes import trim_changes
from accounts.mailstore.locking import take_turn
from accounts.mailstore.objects import delete_object, list_objects

KEEP_DAYS = 14
OBJECT_DAYS = 1
CHANGE_DAYS = 60
BATCH = 500


@dataclass(frozen=True, slots=True)
class Swept:
    """How much went."""

    messages: int
    blobs: int
    objects: int
    changes: int
    journal: int


def sweep(db: psycopg.Connection[Any], *, keep_days: int = KEEP_DAYS) -> Swept:
    """One round of everything below."""
    return Swept(
        sweep_messages(db, keep_days),
        sweep_blobs(db, keep_days),
        sweep_objects(db),
        trim_changes(db, CHANGE_DAYS),
        trim_journals(db),
    )


_SWEEP_MESSAGES = """
WITH doomed AS MATERIALIZED (
    SELECT m.owner_id, m.id FROM mail_message m
    WHERE m.owner_id = %(owner)s AND m.id = ANY(%(messages)s::bigint[]) AND (
        SELECT true FROM mail_entry e
        WHERE e.owner_id = m.owner_id AND e.message_id = m.id LIMIT 1) IS NULL
    AND m.id NOT IN (
        SELECT unnest(u.message_ids) FROM mail_unfiled u
        WHERE u.owner_id = %(owner)s AND u.at >= now() - make_interval(days => %(days)s))
), rendered AS (
    DELETE FROM mail_rendered r USING doomed d
    WHERE r.owner_id = d.owner_id AND r.message_id = d.id
), searchable AS (
    DELETE FROM mail_search_text t USING doomed d
    WHERE t.owner_id = d.owner_id AND t.message_id = d.id
), noted AS (
    DELETE FROM mail_unfiled WHERE owner_id = %(owner)s AND id = %(id)s
)
DELETE FROM mail_message m USING doomed d WHERE m.owner_id = d.owner_id AND m.id = d.id
"""


def sweep_messages(db: psycopg.Connection[Any], keep_days: int) -> int:
    """Delete messages that were in no folder for `keep_days`; how many.

    Each note of a command in a transaction, under its owner's turn: nobody files one of its messages again meanwhile.
    """
    total = 0
    while True:
        with db.transaction():
            note = db.execute(
                "SELECT owner_id, id, message_ids FROM mail_unfiled"
                " WHERE at < now() - make_interval(days => %s) ORDER BY at LIMIT 1",
                [keep_days],
            ).fetchone()
            if note is None:
                return total
            owner, id_, messages = note
            take_turn(db, owner)  # another sweep may have been here meanwhile: nothing is left then
            parameters = {"owner": owner, "id": id_, "messages": messages, "days": keep_days}
            total += db.execute(_SWEEP_MESSAGES, parameters).rowcount


_UNUSED = """
SELECT b.id FROM mail_blob b
WHERE b.id > %(after)s AND b.used_at < now() - make_interval(days => %(days)s)
    AND (SELECT true FROM mail_message m WHERE m.blob_id = b.id LIMIT 1) IS NULL
ORDER BY b.id LIMIT %(limit)s
"""

_LOCK_UNUSED = """
SELECT object_name FROM mail_blob
WHERE id = %s AND used_at < now() - make_interval(days => %s) FOR UPDATE SKIP LOCKED
"""


def sweep_blobs(db: psycopg.Connection[Any], keep_days: int) -> int:
    """Delete blobs that nothing refers to and no one used for `keep_days`; how many.

    Each in a transaction: lock the row, look again, delete. The foreign keys of the outbound queue and of whatever
    else refers to blobs are the last look: one that is referred to cannot be deleted.
    """
    total = after = 0
    while True:
        rows = db.execute(_UNUSED, {"after": after, "days": keep_days, "limit": BATCH}).fetchall()
        for (blob,) in rows:
            try:
                total += _sweep_blob(db, blob, keep_days)
            except (ForeignKeyViolation, RestrictViolation):
                continue
        if len(rows) < BATCH:
            return total
        after = rows[-1][0]


def _sweep_blob(db: psycopg.Connection[Any], blob: int, keep_days: int) -> bool:
    with db.transaction():
        row = db.execute(_LOCK_UNUSED, [blob, keep_days]).fetchone()
        if row is None:
            return False
        db.execute("DELETE FROM mail_blob WHERE id = %s", [blob])
        if row[0]:
            db.execute("INSERT INTO mail_removed_object (object_name) VALUES (%s)", [row[0]])
        return True


def sweep_objects(db: psycopg.Connection[Any], *, now: datetime | None = None) -> int:
    """Delete objects whose row went a day ago, and those that never got one; how many."""
    now = now or datetime.now(UTC)
    before = now - timedelta(days=OBJECT_DAYS)
    total = 0
    for name, written_at in list(list_objects()):
        if written_at < before and _is_unwanted(db, name, before):
            delete_object(name)
            db.execute("DELETE FROM mail_removed_object WHERE object_name = %s", [name])
            total += 1
    db.execute(
        "DELETE FROM mail_removed_object WHERE removed_at < %s", [before - timedelta(days=30)]
    )
    return total


def _is_unwanted(db: psycopg.Connection[Any], name: str, before: datetime) -> bool:
    row = db.execute(
        """
        SELECT EXISTS (SELECT FROM mail_blob WHERE object_name = %(name)s) OR EXISTS (
            SELECT FROM mail_removed_object WHERE object_name = %(name)s AND removed_at > %(before)s)
        """,
        {"name": name, "before": before},
    ).fetchone()
    return row is not None and not row[0]
