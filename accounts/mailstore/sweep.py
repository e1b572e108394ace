"""What nothing needs any more goes, late: unfiled messages, unused blobs, objects without a row, old change rows.

Messages and blobs wait KEEP_DAYS, so that an undelete, or training, still finds them. Objects wait another day after
their row, so that whoever reads one ends in peace. All of it may run at any time, in several processes.
"""

from contextlib import suppress
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
BATCH = 5000


@dataclass(frozen=True, slots=True)
class Swept:
    """How much went."""

    messages: int
    blobs: int
    objects: int
    changes: int
    journal: int


def sweep(db: psycopg.Connection[Any], *, keep_days: int = KEEP_DAYS) -> Swept:
    """One round of everything below; last what asks the storage of objects, which may be away."""
    return Swept(
        messages=sweep_messages(db, keep_days),
        changes=trim_changes(db, CHANGE_DAYS),
        journal=trim_journals(db),
        blobs=sweep_blobs(db, keep_days),
        objects=sweep_objects(db),
    )


_OLDEST = """
SELECT owner_id FROM mail_unfiled WHERE at < now() - make_interval(days => %s) ORDER BY at LIMIT 1
"""

# The notes of one owner together, as many as hold BATCH messages: each statement reads the later notes once.
_SWEEP_MESSAGES = """
WITH old AS MATERIALIZED (
    SELECT id, message_ids FROM (
        SELECT u.id, u.message_ids,
            sum(cardinality(u.message_ids)) OVER (ORDER BY u.at, u.id) - cardinality(u.message_ids) AS before
        FROM mail_unfiled u
        WHERE u.owner_id = %(owner)s AND u.at < now() - make_interval(days => %(days)s)) AS summed
    WHERE before < %(most)s
), noted AS MATERIALIZED (
    SELECT unnest(message_ids) AS id FROM old EXCEPT SELECT unnest(u.message_ids) FROM mail_unfiled u
    WHERE u.owner_id = %(owner)s AND u.at >= now() - make_interval(days => %(days)s)
), doomed AS MATERIALIZED (
    SELECT m.owner_id, m.id FROM mail_message m
    WHERE m.owner_id = %(owner)s AND m.id = ANY(ARRAY(SELECT id FROM noted)) AND (
        SELECT true FROM mail_entry e
        WHERE e.owner_id = m.owner_id AND e.message_id = m.id LIMIT 1) IS NULL
), rendered AS (
    DELETE FROM mail_rendered r USING doomed d
    WHERE r.owner_id = d.owner_id AND r.message_id = d.id
), searchable AS (
    DELETE FROM mail_search_text t USING doomed d
    WHERE t.owner_id = d.owner_id AND t.message_id = d.id
), looked_at AS (
    DELETE FROM mail_unfiled WHERE owner_id = %(owner)s AND id IN (SELECT id FROM old)
)
DELETE FROM mail_message m USING doomed d WHERE m.owner_id = d.owner_id AND m.id = d.id
"""


def sweep_messages(db: psycopg.Connection[Any], keep_days: int) -> int:
    """Delete messages that were in no folder for `keep_days`; how many.

    Some of one owner's in a transaction, under the owner's turn: nobody files one of them again meanwhile.
    """
    total = 0
    while True:
        with db.transaction():
            oldest = db.execute(_OLDEST, [keep_days]).fetchone()
            if oldest is None:
                return total
            take_turn(db, oldest[0])  # another sweep may have been here meanwhile
            parameters = {"owner": oldest[0], "days": keep_days, "most": BATCH}
            total += db.execute(_SWEEP_MESSAGES, parameters).rowcount


# Some blobs at a time, used or not: to find unused ones among many millions would take longer than a statement may.
_UNUSED = """
SELECT b.id, b.used_at < now() - make_interval(days => %(days)s)
    AND (SELECT true FROM mail_message m WHERE m.blob_id = b.id LIMIT 1) IS NULL
FROM mail_blob b WHERE b.id > %(after)s ORDER BY b.id LIMIT %(limit)s
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
        for blob in [blob for blob, is_unused in rows if is_unused]:
            with suppress(ForeignKeyViolation, RestrictViolation):
                total += _sweep_blob(db, blob, keep_days)
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
