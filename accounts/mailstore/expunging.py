"""EXPUNGE (RFC 9051 §6.4.3, §6.4.9): entries go at once; messages and blobs only when nothing needs them (`sweep`).

Each chunk of CHUNK entries is a transaction with a modseq of its own, so that a great command never stops delivery.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg

from accounts.mailstore.flagbits import DELETED, SEEN
from accounts.mailstore.locking import rows_in_turn
from accounts.mailstore.numbering import CHUNK, chunks, unpack
from accounts.mailstore.uid_choice import numbered, set_of
from accounts.mailstore.values import FolderId, MailboxId, ModSeq, NoSuchFolder, Uid

IDS_A_ROW = 200


@dataclass(frozen=True, slots=True)
class Expunged:
    """The UIDs that went, in order, and the folder's modseq afterwards."""

    uids: tuple[Uid, ...]
    modseq: ModSeq


def expunge(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[Uid] | None = None,
    *,
    known: Sequence[Uid] = (),
    cause: str = "imap",
) -> Expunged:
    """Remove the entries with \\Deleted, of `uids` alone if given (UID EXPUNGE).

    `known` are UIDs that the caller takes for deleted: they are looked at first, and the whole folder only if it has
    more. Raises NoSuchFolder.
    """
    return _remove(db, owner, folder_id, uids, cause, known, only_deleted=True)


def empty_folder(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, *, cause: str
) -> Expunged:
    """Remove every entry. Raises NoSuchFolder."""
    return _remove(db, owner, folder_id, None, cause, only_deleted=False)


def remove_entries(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[Uid],
    *,
    cause: str,
) -> Expunged:
    """Remove these entries, whatever their flags. Raises NoSuchFolder."""
    return _remove(db, owner, folder_id, list(uids), cause, only_deleted=False)


_FIRST = """e.uid = ANY(ARRAY(
        SELECT c.uid FROM mail_entry c
        WHERE c.owner_id = $1 AND c.folder_id = $2 {condition} ORDER BY c.uid LIMIT {limit}))"""

# A note of many messages is several short rows: PostgreSQL would take a millisecond to compress a long one.
_REMOVE = """
WITH folder AS MATERIALIZED (
    SELECT f.id, f.owner_id, f.highest_modseq, f.deleted_count, f.is_shared FROM mail_folder f
    WHERE f.owner_id = $1 AND f.id = $2
), gone AS (
    DELETE FROM mail_entry e
    WHERE e.owner_id = $1 AND e.folder_id = $2 AND {choice} {condition}
        AND EXISTS (SELECT FROM folder)
    RETURNING e.uid, e.flags, e.message_id
), total AS MATERIALIZED (
    SELECT f.owner_id, f.id, f.highest_modseq + 1 AS modseq, g.*
    FROM folder f CROSS JOIN (
        SELECT count(*) AS entries, count(*) FILTER (WHERE g.flags & {seen} = 0) AS unseen,
            count(*) FILTER (WHERE g.flags & {deleted} <> 0) AS deleted,
            COALESCE(sum((SELECT m.size FROM mail_message m
                WHERE m.owner_id = $1 AND m.id = g.message_id)), 0)::bigint AS size
        FROM gone g
        HAVING count(*) > 0
    ) AS g
), counted AS (
    UPDATE mail_folder f SET highest_modseq = t.modseq,
        message_count = f.message_count - t.entries, unseen_count = f.unseen_count - t.unseen,
        deleted_count = f.deleted_count - t.deleted, size_bytes = f.size_bytes - t.size
    FROM total t WHERE f.owner_id = $1 AND f.id = $2
), box AS (
    UPDATE accounts_mailbox b SET used_bytes = b.used_bytes - t.size,
        used_messages = b.used_messages - t.entries
    FROM total t WHERE b.id = $1
), change AS (
    INSERT INTO mail_change (owner_id, folder_id, modseq, kind, uids)
    SELECT owner_id, id, modseq, 3, {set} FROM total
), event AS (
    INSERT INTO mail_event (owner_id, kind, cause, folder_id, message_ids)
    SELECT owner_id, 'expunge', $3::text, id, (SELECT array_agg(message_id ORDER BY uid) FROM gone)
    FROM total
), unfiled AS (
    INSERT INTO mail_unfiled (owner_id, message_ids)
    SELECT $1, array_agg(message_id)
    FROM (SELECT message_id, row_number() OVER () / {ids_a_row} AS part FROM gone) AS parts
    GROUP BY part
), unseen AS (
    DELETE FROM mail_seen s
    WHERE (SELECT is_shared FROM folder) AND s.owner_id = $1 AND s.folder_id = $2
        AND s.uid = ANY(ARRAY(SELECT uid FROM gone))
)
SELECT f.highest_modseq, f.deleted_count, (SELECT string_agg(int8send(uid), NULL ORDER BY uid) FROM gone)
FROM folder f
"""


@cache
def _statement(choice: str, chunk: int, *, only_deleted: bool) -> bytes:
    def condition(entry: str) -> str:
        return f"AND {entry}.flags & {DELETED} <> 0" if only_deleted else ""

    return _REMOVE.format(
        choice=choice.format(condition=condition("c"), limit=chunk),
        condition=condition("e"),
        set=set_of("gone"),
        seen=SEEN,
        deleted=DELETED,
        ids_a_row=IDS_A_ROW,
    ).encode()


def _remove(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[Uid] | None,
    cause: str,
    known: Sequence[Uid] = (),
    *,
    only_deleted: bool,
) -> Expunged:
    gone: list[Uid] = []
    modseq, deleted_left = ModSeq(0), 1
    for chunk in chunks(known) if uids is None else chunks(uids) or [[]]:
        removed, modseq, deleted_left = _remove_chunk(
            db, owner, folder_id, chunk, cause, only_deleted=only_deleted
        )
        gone.extend(removed)
    while uids is None and deleted_left > 0:
        removed, modseq, _ = _remove_chunk(
            db, owner, folder_id, None, cause, only_deleted=only_deleted
        )
        gone.extend(removed)
        deleted_left = len(removed) - CHUNK + 1
    return Expunged(tuple(sorted(gone)), modseq)


def _remove_chunk(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[Uid] | None,
    cause: str,
    *,
    only_deleted: bool,
) -> tuple[Sequence[Uid], ModSeq, int]:
    """The UIDs that went, the folder's modseq, and how many with \\Deleted are left in it. One round trip."""
    choice, chosen = (_FIRST, []) if uids is None else numbered(sorted(uids), 4)
    statement = _statement(choice, CHUNK, only_deleted=only_deleted)
    rows = rows_in_turn(db, owner, statement, [owner, folder_id, cause, *chosen])
    if not rows:
        raise NoSuchFolder
    modseq, deleted, packed = rows[0]
    gone = [Uid(uid) for uid in unpack(packed)]
    return gone, ModSeq(modseq + bool(gone)), deleted - len(gone)


def forget_seen(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, uids: Sequence[int]
) -> None:
    """What other readers have seen goes with the entries."""
    db.execute(
        "DELETE FROM mail_seen WHERE owner_id = %s AND folder_id = %s AND uid = ANY(%s)",
        [owner, folder_id, list(uids)],
        prepare=True,
    )
