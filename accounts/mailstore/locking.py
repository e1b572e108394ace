"""The folder row and its lock, which puts writers in order.

Every service locks in one order: blobs, mailboxes by id, folders by id. Call these inside a transaction.

Before its rows a writer takes the owner's turn, an advisory lock. Without it writers would wait for row versions:
a statement that has locked the newest version and comes to the row again by its old snapshot then deadlocks with
the one that waits in line at the old version.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from accounts.mailstore.prepared import Prepared, Row, rows_after
from accounts.mailstore.values import (
    FolderId,
    FolderState,
    MailboxId,
    ModSeq,
    NoSuchFolder,
    Uid,
)

TURN = 7_000_000_000_000_000_000  # and the owner's id: the number of the advisory lock

STATE_COLUMNS = """id, owner_id, name, uid_validity, uid_next, highest_modseq, min_modseq, special_use,
    message_count, unseen_count, deleted_count, size_bytes, keywords, is_shared"""


def folder_state(row: tuple[Any, ...]) -> FolderState:
    """A FolderState of a row of STATE_COLUMNS."""
    id_, owner, name, validity, uid_next, highest, minimum, use, *counts, keywords, is_shared = row
    messages, unseen, deleted, size = counts
    return FolderState(
        FolderId(id_),
        MailboxId(owner),
        name,
        validity,
        Uid(uid_next),
        ModSeq(highest),
        ModSeq(minimum),
        use,
        messages,
        unseen,
        deleted,
        int(size),
        tuple(keywords),
        is_shared,
    )


_TAKE_TURN = Prepared("SELECT pg_advisory_xact_lock(%b)", int)


def rows_in_turn(
    db: psycopg.Connection[Any], owner: MailboxId, statement: bytes, values: Sequence[Any]
) -> list[Row]:
    """A statement ($1, $2, ...) in the owner's turn, in one round trip; what it reads is as of its turn."""
    return rows_after(db, _TAKE_TURN, [TURN + owner], statement, values)


def take_turn(db: psycopg.Connection[Any], owner: MailboxId) -> None:
    """Wait until no one else writes for this owner; ends with the transaction."""
    _TAKE_TURN.rows(db, TURN + owner)


def lock_mailbox(db: psycopg.Connection[Any], owner: MailboxId) -> None:
    """Lock the quota row, before any folder. Raises NoSuchFolder when the mailbox is gone."""
    take_turn(db, owner)
    found = db.execute(
        "SELECT id FROM accounts_mailbox WHERE id = %s FOR NO KEY UPDATE", [owner], prepare=True
    ).fetchone()
    if found is None:
        raise NoSuchFolder


def lock_folders(
    db: psycopg.Connection[Any], owner: MailboxId, folder_ids: Iterable[FolderId]
) -> dict[FolderId, FolderState]:
    """Lock the folders in order of id and read them. Raises NoSuchFolder if one is missing."""
    wanted = sorted(set(folder_ids))
    take_turn(db, owner)
    rows = db.execute(
        f"SELECT {STATE_COLUMNS} FROM mail_folder WHERE owner_id = %s AND id = ANY(%s)"
        " ORDER BY id FOR NO KEY UPDATE",
        [owner, wanted],
        prepare=True,
        binary=True,
    ).fetchall()
    if len(rows) != len(wanted):
        raise NoSuchFolder
    return {FolderId(row[0]): folder_state(row) for row in rows}
