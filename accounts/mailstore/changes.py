"""What is in a folder, and what changed in it since a modseq (RFC 7162)."""

import sys
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.locking import STATE_COLUMNS, folder_state, take_turn
from accounts.mailstore.sequence_sets import numbers_of, parse_set
from accounts.mailstore.values import (
    FolderId,
    FolderState,
    MailboxId,
    ModSeq,
    NoSuchFolder,
    Uid,
)

EXPUNGED = 3


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A folder at one moment. The three arrays (type 'q') are parallel, in order of UID."""

    state: FolderState
    uids: "array[int]"
    flags: "array[int]"
    modseqs: "array[int]"


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened after a modseq.

    `entries` are new and changed ones, (uid, flags, modseq) in order of UID; an entry may be told again by the next
    call. `vanished` may hold UIDs that the caller never saw.
    """

    state: FolderState
    vanished: frozenset[Uid]
    entries: tuple[tuple[Uid, int, ModSeq], ...]


# The numbers come packed, eight octets each: rows of 100,000 entries would cost five times as much.
_SNAPSHOT = f"""
SELECT {STATE_COLUMNS}, e.uids, e.flags, e.modseqs
FROM mail_folder f CROSS JOIN LATERAL (
    SELECT string_agg(int8send(o.uid), NULL) AS uids, string_agg(int8send(o.flags), NULL) AS flags,
        string_agg(int8send(o.modseq), NULL) AS modseqs
    FROM (
        SELECT uid, flags, modseq FROM mail_entry
        WHERE owner_id = %(owner)s AND folder_id = %(folder)s ORDER BY uid) AS o
) AS e
WHERE f.owner_id = %(owner)s AND f.id = %(folder)s
"""


def snapshot(db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId) -> Snapshot:
    """The whole folder. Raises NoSuchFolder."""
    row = db.execute(
        _SNAPSHOT, {"owner": owner, "folder": folder_id}, prepare=True, binary=True
    ).fetchone()
    if row is None:
        raise NoSuchFolder
    *state, uids, flags, modseqs = row
    return Snapshot(folder_state(tuple(state)), _unpack(uids), _unpack(flags), _unpack(modseqs))


_CHANGES = f"""
SELECT {STATE_COLUMNS}, ARRAY(
    SELECT c.kind || ' ' || c.uids FROM mail_change c
    WHERE c.owner_id = %(owner)s AND c.folder_id = %(folder)s AND c.modseq > %(modseq)s
)
FROM mail_folder f WHERE f.owner_id = %(owner)s AND f.id = %(folder)s
"""


def changes_since(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, modseq: ModSeq
) -> Changes:
    """One round trip when nothing changed, two otherwise.

    Below the folder's `min_modseq`, `vanished` holds every UID under uid_next that does not exist (RFC 7162
    §3.2.6). Raises NoSuchFolder.
    """
    row = db.execute(
        _CHANGES,
        {"owner": owner, "folder": folder_id, "modseq": modseq},
        prepare=True,
        binary=True,
    ).fetchone()
    if row is None:
        raise NoSuchFolder
    *columns, lines = row
    state = folder_state(tuple(columns))
    if modseq < state.min_modseq:
        return _changes_by_scan(db, state, modseq)
    touched: set[int] = set()
    vanished: set[int] = set()
    for line in lines:
        kind, _, uids = line.partition(" ")
        (vanished if int(kind) == EXPUNGED else touched).update(numbers_of(parse_set(uids)))
    touched -= vanished
    entries = _read_entries(db, state, sorted(touched), modseq) if touched else ()
    return Changes(state, frozenset(map(Uid, vanished)), entries)


def _changes_by_scan(db: psycopg.Connection[Any], state: FolderState, modseq: ModSeq) -> Changes:
    now = snapshot(db, state.owner, state.id)
    missing = set(range(1, now.state.uid_next)).difference(now.uids)
    entries = tuple(
        (Uid(uid), flags, ModSeq(changed))
        for uid, flags, changed in zip(now.uids, now.flags, now.modseqs, strict=True)
        if changed > modseq
    )
    return Changes(now.state, frozenset(map(Uid, missing)), entries)


def _read_entries(
    db: psycopg.Connection[Any], state: FolderState, uids: list[int], modseq: ModSeq
) -> tuple[tuple[Uid, int, ModSeq], ...]:
    rows = db.execute(
        """
        SELECT uid, flags, modseq FROM mail_entry
        WHERE owner_id = %s AND folder_id = %s AND uid = ANY(%s) AND modseq > %s ORDER BY uid
        """,
        [state.owner, state.id, uids, modseq],
        prepare=True,
        binary=True,
    ).fetchall()
    return tuple(rows)


def current_modseqs(
    db: psycopg.Connection[Any], folders: Iterable[tuple[MailboxId, FolderId]]
) -> Mapping[FolderId, ModSeq]:
    """highest_modseq of each; a folder that is gone is missing."""
    pairs = list(folders)
    rows = db.execute(
        """
        SELECT f.id, f.highest_modseq FROM unnest(%s::bigint[], %s::bigint[]) AS w (owner, id)
        JOIN mail_folder f ON f.owner_id = w.owner AND f.id = w.id
        """,
        [[owner for owner, _ in pairs], [folder for _, folder in pairs]],
        prepare=True,
        binary=True,
    ).fetchall()
    return {FolderId(folder): ModSeq(modseq) for folder, modseq in rows}


def trim_changes(db: psycopg.Connection[Any], older_than_days: int) -> int:
    """Delete old change rows and raise the folders' `min_modseq`; how many rows went.

    One transaction a folder: its lock comes before its change rows, as everywhere.
    """
    folders = db.execute(
        "SELECT DISTINCT owner_id, folder_id FROM mail_change WHERE at < now() - make_interval(days => %s)",
        [older_than_days],
    ).fetchall()
    trimmed = 0
    for owner, folder in folders:
        with db.transaction():
            take_turn(db, MailboxId(owner))
            db.execute(
                "SELECT FROM mail_folder WHERE owner_id = %s AND id = %s FOR NO KEY UPDATE",
                [owner, folder],
            )
            row = db.execute(
                """
                WITH gone AS (
                    DELETE FROM mail_change
                    WHERE owner_id = %(owner)s AND folder_id = %(folder)s
                        AND at < now() - make_interval(days => %(days)s)
                    RETURNING modseq
                ), raised AS (
                    UPDATE mail_folder
                    SET min_modseq = GREATEST(min_modseq, (SELECT max(modseq) FROM gone))
                    WHERE owner_id = %(owner)s AND id = %(folder)s
                )
                SELECT count(*) FROM gone
                """,
                {"owner": owner, "folder": folder, "days": older_than_days},
            ).fetchone()
            trimmed += row[0] if row else 0
    return trimmed


def _unpack(packed: bytes | None) -> "array[int]":
    numbers = array("q")
    numbers.frombytes(packed or b"")
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers
