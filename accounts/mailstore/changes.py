"""What is in a folder, and what changed in it since a modseq (RFC 7162)."""

import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from accounts.mailstore.flagbits import SEEN
from accounts.mailstore.locking import STATE_COLUMNS, folder_state, take_turn
from accounts.mailstore.prepared import Prepared, Row
from accounts.mailstore.sequence_sets import numbers_of, parse_set
from accounts.mailstore.sharing import ALL_RIGHTS, rights_in
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
    call. `vanished` may hold UIDs that the caller never saw. `rights` are the reader's now.
    """

    state: FolderState
    vanished: frozenset[Uid]
    entries: tuple[tuple[Uid, int, ModSeq], ...]
    rights: str = ALL_RIGHTS


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


# What an entry is to a reader who is not the owner: \Seen is his own, and so may the newest change be.
_READERS_ENTRIES = f"""
    SELECT e.uid, e.flags & ~{SEEN}::bigint | CASE WHEN s.is_seen THEN {SEEN} ELSE 0 END AS flags,
        GREATEST(e.modseq, s.modseq) AS modseq
    FROM mail_entry e LEFT JOIN mail_seen s
        ON s.owner_id = e.owner_id AND s.folder_id = e.folder_id AND s.uid = e.uid AND s.reader_id = %(reader)s
    WHERE e.owner_id = %(owner)s AND e.folder_id = %(folder)s"""

_READERS_SNAPSHOT = f"""
SELECT {STATE_COLUMNS}, e.uids, e.flags, e.modseqs, e.unseen
FROM mail_folder f CROSS JOIN LATERAL (
    SELECT string_agg(int8send(o.uid), NULL) AS uids, string_agg(int8send(o.flags), NULL) AS flags,
        string_agg(int8send(o.modseq), NULL) AS modseqs, count(*) FILTER (WHERE o.flags & {SEEN} = 0) AS unseen
    FROM ({_READERS_ENTRIES} ORDER BY e.uid) AS o
) AS e
WHERE f.owner_id = %(owner)s AND f.id = %(folder)s
"""


def snapshot(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    reader: MailboxId | None = None,
) -> Snapshot:
    """The whole folder, as the owner sees it or another `reader`. Raises NoSuchFolder."""
    is_own = reader is None or reader == owner
    row = db.execute(
        _SNAPSHOT if is_own else _READERS_SNAPSHOT,
        {"owner": owner, "folder": folder_id, "reader": reader},
        prepare=True,
        binary=True,
    ).fetchone()
    if row is None:
        raise NoSuchFolder
    size = len(row) - (3 if is_own else 4)
    state, (uids, flags, modseqs, *unseen) = folder_state(row[:size]), row[size:]
    if unseen:
        state = replace(state, unseen_count=unseen[0])
    return Snapshot(state, _unpack(uids), _unpack(flags), _unpack(modseqs))


CHANGES = Prepared(
    f"""
    SELECT {STATE_COLUMNS}, ARRAY(
        SELECT c.kind || ' ' || c.uids FROM mail_change c
        WHERE c.owner_id = f.owner_id AND c.folder_id = f.id AND c.modseq > %b
            AND (c.reader_id IS NULL OR c.reader_id = %b)
    )
    FROM mail_folder f WHERE f.owner_id = %b AND f.id = %b
    """,
    int, int, int, int,
)  # fmt: skip


def changes_since(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    modseq: ModSeq,
    reader: MailboxId | None = None,
) -> Changes:
    """One round trip when nothing changed, two otherwise; one more for a `reader` who is not the owner.

    Below the folder's `min_modseq`, `vanished` holds every UID under uid_next that does not exist (RFC 7162
    §3.2.6). Raises NoSuchFolder, also when the reader may not read it any more.
    """
    if reader is None or reader == owner:
        return _changes(db, owner, folder_id, modseq, owner)
    rights = rights_in(db, owner, folder_id, reader)
    if "r" not in rights:
        raise NoSuchFolder
    return replace(_changes(db, owner, folder_id, modseq, reader), rights=rights)


def _changes(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    modseq: ModSeq,
    reader: MailboxId,
) -> Changes:
    row = CHANGES.row(db, modseq, reader, owner, folder_id)
    state, lines = told(row)
    if modseq < state.min_modseq:
        return _changes_by_scan(db, state, modseq, reader)
    return changes_of(db, state, lines, modseq, reader)


def told(row: Row | None) -> tuple[FolderState, list[str]]:
    """The folder and the lines that `CHANGES` found. Raises NoSuchFolder."""
    if row is None:
        raise NoSuchFolder
    return folder_state(row[:-1]), row[-1]


def changes_of(
    db: psycopg.Connection[Any],
    state: FolderState,
    lines: Iterable[str],
    modseq: ModSeq,
    reader: MailboxId,
) -> Changes:
    """What the `lines` of mail_change (kind and UIDs) after `modseq` amount to now."""
    touched, vanished = in_lines(lines)
    if not touched:
        return Changes(state, vanished, ())
    return with_entries(state, vanished, _read_entries(db, state, touched, modseq, reader))


def in_lines(lines: Iterable[str]) -> tuple[list[int], frozenset[Uid]]:
    """The UIDs in order that lines of mail_change say to have come or changed, and those that went."""
    touched: set[int] = set()
    vanished: set[int] = set()
    for line in lines:
        kind, _, uids = line.partition(" ")
        (vanished if int(kind) == EXPUNGED else touched).update(numbers_of(parse_set(uids)))
    return sorted(touched - vanished), frozenset(map(Uid, vanished))


def with_entries(state: FolderState, vanished: frozenset[Uid], rows: Sequence[Row]) -> Changes:
    """The changes with rows of (uid, flags, modseq, keywords). Entries may be newer than `state`: the keywords that name
    their bits are read with them."""
    keywords = tuple(rows[0][3] or ()) if rows else state.keywords
    entries = tuple([(row[0], row[1], row[2]) for row in rows])
    return Changes(replace(state, keywords=keywords), vanished, entries)


def expunged_since(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, modseq: ModSeq
) -> tuple[set[int] | None, Uid]:
    """The UIDs that went after `modseq`, None where that is not remembered so far back, and uid_next.
    Raises NoSuchFolder."""
    row = db.execute(
        """
        SELECT f.min_modseq <= %(modseq)s, f.uid_next, ARRAY(
            SELECT c.uids FROM mail_change c
            WHERE c.owner_id = f.owner_id AND c.folder_id = f.id AND c.modseq > %(modseq)s AND c.kind = 3
        )
        FROM mail_folder f WHERE f.owner_id = %(owner)s AND f.id = %(folder)s
        """,
        {"owner": owner, "folder": folder_id, "modseq": modseq},
        prepare=True,
        binary=True,
    ).fetchone()
    if row is None:
        raise NoSuchFolder
    remembers, uid_next, sets = row
    gone = set[int]().union(*(numbers_of(parse_set(uids)) for uids in sets))
    return gone if remembers else None, Uid(uid_next)


def _changes_by_scan(
    db: psycopg.Connection[Any], state: FolderState, modseq: ModSeq, reader: MailboxId
) -> Changes:
    now = snapshot(db, state.owner, state.id, reader)
    missing = set(range(1, now.state.uid_next)).difference(now.uids)
    entries = tuple(
        (Uid(uid), flags, ModSeq(changed))
        for uid, flags, changed in zip(now.uids, now.flags, now.modseqs, strict=True)
        if changed > modseq
    )
    return Changes(now.state, frozenset(map(Uid, missing)), entries)


ENTRIES = Prepared(
    """
    SELECT e.uid, e.flags, e.modseq, f.keywords
    FROM mail_entry e JOIN mail_folder f ON f.owner_id = e.owner_id AND f.id = e.folder_id
    WHERE e.owner_id = %b AND e.folder_id = %b AND e.uid = ANY((SELECT %b::bigint[])::bigint[]) AND e.modseq > %b
    ORDER BY e.uid
    """,
    int, int, str, int,
)  # fmt: skip
"""The owner's entries of some UIDs ("{1,2}") that changed after a modseq, for `with_entries`."""


def array_text(numbers: Iterable[int]) -> str:
    """Numbers as PostgreSQL writes an array of them."""
    return "{" + ",".join(map(str, numbers)) + "}"


def _read_entries(
    db: psycopg.Connection[Any],
    state: FolderState,
    uids: list[int],
    modseq: ModSeq,
    reader: MailboxId,
) -> list[Row]:
    if reader == state.owner:
        return ENTRIES.rows(db, state.owner, state.id, array_text(uids), modseq)
    return db.execute(
        f"SELECT o.*, (SELECT keywords FROM mail_folder WHERE owner_id = %(owner)s AND id = %(folder)s)"
        f" FROM ({_READERS_ENTRIES} AND e.uid = ANY(%(uids)s)) AS o WHERE modseq > %(modseq)s ORDER BY uid",
        {
            "owner": state.owner,
            "folder": state.id,
            "reader": reader,
            "uids": uids,
            "modseq": modseq,
        },
        prepare=True,
        binary=True,
    ).fetchall()


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
