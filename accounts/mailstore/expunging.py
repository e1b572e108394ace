"""EXPUNGE (RFC 9051 §6.4.3, §6.4.9): entries go at once; messages and blobs only when nothing needs them (`sweep`).

Each chunk of CHUNK entries is a transaction with a modseq of its own, so that a great command never stops delivery.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.flagbits import DELETED
from accounts.mailstore.locking import lock_folders, lock_mailbox
from accounts.mailstore.numbering import CHUNK, chunks, count_rows
from accounts.mailstore.sequence_sets import format_set
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
    cause: str = "imap",
) -> Expunged:
    """Remove the entries with \\Deleted, of `uids` alone if given (UID EXPUNGE). Raises NoSuchFolder."""
    condition = f"flags & {DELETED} <> 0"
    return _remove(db, owner, folder_id, condition, None if uids is None else list(uids), cause)


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
_DELETE = """
WITH chosen AS (
    SELECT e.uid FROM mail_entry e
    WHERE e.owner_id = %(owner)s AND e.folder_id = %(folder)s AND {condition} AND {choice}
    ORDER BY e.uid LIMIT %(limit)s
), gone AS (
    DELETE FROM mail_entry e
    WHERE e.owner_id = %(owner)s AND e.folder_id = %(folder)s AND e.uid = ANY (ARRAY(SELECT uid FROM chosen))
    RETURNING e.uid, e.flags, e.message_id
)
SELECT g.uid, g.flags, g.message_id, m.size
FROM gone g JOIN mail_message m ON m.owner_id = %(owner)s AND m.id = g.message_id
ORDER BY g.uid
"""

# Runs after the deletion, so that it sees which messages are in no folder any more. It looks each up: as NOT EXISTS the
# planner, while it has no statistics, reads all of the owner's entries for each message.
_FINISH_REMOVAL = """
WITH folder AS (
    UPDATE mail_folder SET highest_modseq = %(modseq)s,
        message_count = message_count - %(count)s, unseen_count = unseen_count - %(unseen)s,
        deleted_count = deleted_count - %(deleted)s, size_bytes = size_bytes - %(size)s
    WHERE owner_id = %(owner)s AND id = %(folder)s
), box AS (
    UPDATE accounts_mailbox SET used_bytes = used_bytes - %(size)s,
        used_messages = used_messages - %(count)s
    WHERE id = %(owner)s
), change AS (
    INSERT INTO mail_change (owner_id, folder_id, modseq, kind, uids)
    VALUES (%(owner)s, %(folder)s, %(modseq)s, 3, %(uids)s)
), event AS (
    INSERT INTO mail_event (owner_id, kind, cause, folder_id, message_ids)
    VALUES (%(owner)s, 'expunge', %(cause)s, %(folder)s, %(messages)s)
)
UPDATE mail_message m SET unfiled_at = now()
WHERE m.owner_id = %(owner)s AND m.id = ANY(%(messages)s) AND (
    SELECT true FROM mail_entry e WHERE e.owner_id = m.owner_id AND e.message_id = m.id LIMIT 1
) IS NULL
"""


def _remove(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    condition: str,
    uids: list[Uid] | None,
    cause: str,
) -> Expunged:
    gone: list[Uid] = []
    for chunk in [None] if uids is None else chunks(uids) or [[]]:
        while True:
            removed, modseq = _remove_chunk(db, owner, folder_id, condition, chunk, cause)
            gone.extend(removed)
            if len(removed) < CHUNK:
                break
    return Expunged(tuple(sorted(gone)), modseq)


def _remove_chunk(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    condition: str,
    uids: list[Uid] | None,
    cause: str,
) -> tuple[list[Uid], ModSeq]:
    choice = "true" if uids is None else "e.uid = ANY(%(uids)s)"
    with db.transaction():
        lock_mailbox(db, owner)
        folder = lock_folders(db, owner, [folder_id])[folder_id]
        rows = db.execute(
            _DELETE.format(condition=condition, choice=choice),
            {"owner": owner, "folder": folder_id, "uids": uids, "limit": CHUNK},
            prepare=True,
            binary=True,
        ).fetchall()
        if not rows:
            return [], folder.highest_modseq
        modseq = ModSeq(folder.highest_modseq + 1)
        db.execute(
            _FINISH_REMOVAL,
            {
                "owner": owner,
                "folder": folder_id,
                "modseq": modseq,
                "uids": format_set(row[0] for row in rows),
                "messages": [row[2] for row in rows],
                "cause": cause,
                **count_rows(rows),
            },
            prepare=True,
        )
        if folder.is_shared:
            forget_seen(db, owner, folder_id, [row[0] for row in rows])
        return [Uid(row[0]) for row in rows], modseq


def forget_seen(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, uids: Sequence[int]
) -> None:
    """What other readers have seen goes with the entries."""
    db.execute(
        "DELETE FROM mail_seen WHERE owner_id = %s AND folder_id = %s AND uid = ANY(%s)",
        [owner, folder_id, list(uids)],
        prepare=True,
    )
