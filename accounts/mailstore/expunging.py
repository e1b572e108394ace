"""EXPUNGE (RFC 9051 §6.4.3, §6.4.9): entries go at once; messages and blobs only when nothing needs them (`sweep`).

Each chunk of CHUNK entries is a transaction with a modseq of its own, so that a great command never stops delivery.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.flagbits import DELETED, SEEN
from accounts.mailstore.locking import lock_folders
from accounts.mailstore.numbering import CHUNK, chunks, unpack
from accounts.mailstore.uid_choice import chosen, set_of
from accounts.mailstore.values import FolderId, MailboxId, ModSeq, Uid


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
    condition = f"e.flags & {DELETED} <> 0"
    return _remove(db, owner, folder_id, condition, uids, cause, known)


def empty_folder(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, *, cause: str
) -> Expunged:
    """Remove every entry. Raises NoSuchFolder."""
    return _remove(db, owner, folder_id, "true", None, cause)


def remove_entries(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[Uid],
    *,
    cause: str,
) -> Expunged:
    """Remove these entries, whatever their flags. Raises NoSuchFolder."""
    return _remove(db, owner, folder_id, "true", list(uids), cause)


# The UIDs go in as an array: as a join the planner, which has no statistics of a new folder, reads the folder once a
# message.
_CHOOSE = """
SELECT e.uid FROM mail_entry e
WHERE e.owner_id = %s AND e.folder_id = %s AND {condition} ORDER BY e.uid LIMIT {limit}
"""

_REMOVE = """
WITH gone AS (
    DELETE FROM mail_entry e
    WHERE e.owner_id = %(owner)s AND e.folder_id = %(folder)s AND {choice} AND {condition}
    RETURNING e.uid, e.flags, e.message_id
), total AS MATERIALIZED (
    SELECT count(*) AS entries, count(*) FILTER (WHERE g.flags & {seen} = 0) AS unseen,
        count(*) FILTER (WHERE g.flags & {deleted} <> 0) AS deleted,
        array_agg(g.message_id ORDER BY g.uid) AS messages,
        COALESCE(sum((SELECT m.size FROM mail_message m
            WHERE m.owner_id = %(owner)s AND m.id = g.message_id)), 0)::bigint AS size
    FROM gone g
), folder AS (
    UPDATE mail_folder f SET highest_modseq = %(modseq)s,
        message_count = f.message_count - t.entries, unseen_count = f.unseen_count - t.unseen,
        deleted_count = f.deleted_count - t.deleted, size_bytes = f.size_bytes - t.size
    FROM total t WHERE f.owner_id = %(owner)s AND f.id = %(folder)s AND t.entries > 0
), box AS (
    UPDATE accounts_mailbox b SET used_bytes = b.used_bytes - t.size,
        used_messages = b.used_messages - t.entries
    FROM total t WHERE b.id = %(owner)s AND t.entries > 0
), change AS (
    INSERT INTO mail_change (owner_id, folder_id, modseq, kind, uids)
    SELECT %(owner)s, %(folder)s, %(modseq)s, 3, {set} FROM total WHERE entries > 0
), event AS (
    INSERT INTO mail_event (owner_id, kind, cause, folder_id, message_ids)
    SELECT %(owner)s, 'expunge', %(cause)s, %(folder)s, messages FROM total WHERE entries > 0
), unfiled AS (
    INSERT INTO mail_unfiled (owner_id, message_ids)
    SELECT %(owner)s, messages FROM total WHERE entries > 0
)
SELECT string_agg(int8send(uid), NULL ORDER BY uid) FROM gone
"""


def _remove(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    condition: str,
    uids: Sequence[Uid] | None,
    cause: str,
    known: Sequence[Uid] = (),
) -> Expunged:
    gone: list[Uid] = []
    modseq, deleted_left = ModSeq(0), 1
    for chunk in chunks(known) if uids is None else chunks(uids) or [[]]:
        removed, modseq, deleted_left = _remove_chunk(db, owner, folder_id, condition, chunk, cause)
        gone.extend(removed)
    while uids is None and deleted_left > 0:
        removed, modseq, _ = _remove_chunk(db, owner, folder_id, condition, None, cause)
        gone.extend(removed)
        deleted_left = len(removed) - CHUNK + 1
    return Expunged(tuple(sorted(gone)), modseq)


def _remove_chunk(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    condition: str,
    uids: Sequence[Uid] | None,
    cause: str,
) -> tuple[Sequence[Uid], ModSeq, int]:
    """The UIDs that went, the folder's modseq, and how many with \\Deleted are left in it."""
    with db.transaction():
        folder = lock_folders(db, owner, [folder_id])[folder_id]
        if uids is None:
            statement = _CHOOSE.format(condition=condition, limit=CHUNK)
            rows = db.execute(statement, [owner, folder_id], prepare=True, binary=True).fetchall()
            uids = [Uid(uid) for (uid,) in rows]
        choice, parameters = chosen(sorted(uids))
        row = db.execute(
            _REMOVE.format(
                choice=choice, condition=condition, set=set_of("gone"), seen=SEEN, deleted=DELETED
            ),
            {
                "owner": owner,
                "folder": folder_id,
                "modseq": folder.highest_modseq + 1,
                "cause": cause,
                **parameters,
            },
            prepare=True,
            binary=True,
        ).fetchone()
        gone = [Uid(uid) for uid in unpack(row[0])] if row else []
        if not gone:
            return gone, folder.highest_modseq, folder.deleted_count
        if folder.is_shared:
            forget_seen(db, owner, folder_id, gone)
        return gone, ModSeq(folder.highest_modseq + 1), folder.deleted_count - len(gone)


def forget_seen(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, uids: Sequence[int]
) -> None:
    """What other readers have seen goes with the entries."""
    db.execute(
        "DELETE FROM mail_seen WHERE owner_id = %s AND folder_id = %s AND uid = ANY(%s)",
        [owner, folder_id, list(uids)],
        prepare=True,
    )
