"""Flags as one reader of a folder may change them, and the \\Seen of each (RFC 4314 §4, RFC 9051 §2.3.2).

The owner's \\Seen is a bit of the entry; any other reader's is a row of its own, whose change is news to that reader
alone. All other flags are everybody's.
"""

from collections.abc import Sequence
from typing import Any

import psycopg

from accounts.mailstore.flagbits import ALL_BITS, DELETED, SEEN, SYSTEM_FLAGS, FlagChange
from accounts.mailstore.flags import (
    Mode,
    Stored,
    in_chunks,
    plan_change,
    store_flags,
    write_change,
)
from accounts.mailstore.locking import lock_folders
from accounts.mailstore.sequence_sets import format_set
from accounts.mailstore.sharing import rights_in
from accounts.mailstore.values import FolderId, MailboxId, ModSeq, NoPermission, Uid

_RIGHTS_OF = {"s": SEEN, "t": DELETED, "w": ALL_BITS & ~(SEEN | DELETED)}


def permitted_bits(rights: str) -> int:
    """The flags that these rights allow to set and to clear."""
    bits = 0
    for right, covered in _RIGHTS_OF.items():
        if right in rights:
            bits |= covered
    return bits


def permitted_flags(flags: Sequence[str], rights: str) -> tuple[str, ...]:
    """Those of the flags, by name, that the rights allow."""
    return tuple(flag for flag in flags if _right_for(flag) in rights)


def _right_for(flag: str) -> str:
    bit = SYSTEM_FLAGS.get(flag.lower(), 0)
    return "s" if bit == SEEN else "t" if bit == DELETED else "w"


def store_flags_as(
    db: psycopg.Connection[Any],
    reader: MailboxId,
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[Uid],
    mode: Mode,
    flags: tuple[str, ...],
    unchanged_since: ModSeq | None = None,
    *,
    known: tuple[str, ...] = (),
    cause: str = "imap",
) -> Stored:
    """`store_flags` as `reader`: what the rights do not cover is passed over (RFC 4314 §4).

    Raises NoPermission when they cover none of it; NoSuchFolder, TooManyKeywords.
    """
    if reader == owner:
        return store_flags(
            db, owner, folder_id, uids, mode, flags, unchanged_since, known=known, cause=cause
        )
    return in_chunks(
        uids,
        lambda chunk: _store_chunk(
            db, reader, owner, folder_id, chunk, mode, flags, unchanged_since, cause
        ),
    )


_READ = f"""
SELECT e.uid, e.flags & ~{SEEN}::bigint | CASE WHEN s.is_seen THEN {SEEN} ELSE 0 END,
    GREATEST(e.modseq, s.modseq), e.message_id
FROM mail_entry e LEFT JOIN mail_seen s
    ON s.owner_id = e.owner_id AND s.folder_id = e.folder_id AND s.uid = e.uid AND s.reader_id = %s
WHERE e.owner_id = %s AND e.folder_id = %s AND e.uid = ANY(%s) ORDER BY e.uid
"""


def _store_chunk(
    db: psycopg.Connection[Any],
    reader: MailboxId,
    owner: MailboxId,
    folder_id: FolderId,
    uids: list[Uid],
    mode: Mode,
    flags: tuple[str, ...],
    unchanged_since: ModSeq | None,
    cause: str,
) -> Stored:
    with db.transaction():
        folder = lock_folders(db, owner, [folder_id])[folder_id]
        rights = rights_in(db, owner, folder_id, reader)
        permitted = permitted_flags(flags, rights)
        if (flags and not permitted) or not permitted_bits(rights):
            raise NoPermission
        change = plan_change(mode, permitted, folder.keywords)
        change = FlagChange(change.add, change.remove & permitted_bits(rights), change.keywords)
        rows = db.execute(
            _READ, [reader, owner, folder_id, uids], prepare=True, binary=True
        ).fetchall()
        limit = folder.highest_modseq if unchanged_since is None else unchanged_since
        modified = tuple(Uid(row[0]) for row in rows if row[2] > limit)
        eligible = [row for row in rows if row[2] <= limit]
        changing = [row for row in eligible if change.apply(row[1]) != row[1]]
        unchanged = tuple((uid, f, m) for uid, f, m, _ in eligible if change.apply(f) == f)
        if not changing:
            return Stored(folder.highest_modseq, (), unchanged, modified, folder.keywords)
        modseq = ModSeq(folder.highest_modseq + 1)
        seen = {row[0]: bool(change.apply(row[1]) & SEEN) for row in changing}
        seen = {row[0]: seen[row[0]] for row in changing if seen[row[0]] != bool(row[1] & SEEN)}
        of_all = FlagChange(change.add & ~SEEN, change.remove & ~SEEN, change.keywords)
        shared = [row for row in changing if of_all.apply(row[1]) != row[1]]
        if shared:
            write_change(db, owner, folder_id, modseq, shared, of_all, mode, permitted, cause)
        if seen:
            keep_seen(db, reader, owner, folder_id, modseq, seen)
            tell_reader(db, reader, owner, folder_id, modseq, list(seen))
        changed = tuple((uid, change.apply(f), modseq) for uid, f, _, _ in changing)
        return Stored(modseq, changed, unchanged, modified, change.keywords)


def keep_seen(
    db: psycopg.Connection[Any],
    reader: MailboxId,
    owner: MailboxId,
    folder_id: FolderId,
    modseq: ModSeq,
    seen: dict[Uid, bool],
) -> None:
    """What the reader has seen, or has not any more. The folder is locked."""
    db.execute(
        """
        INSERT INTO mail_seen (owner_id, folder_id, uid, reader_id, is_seen, modseq)
        SELECT %s, %s, n.uid, %s, n.is_seen, %s
        FROM unnest(%s::bigint[], %s::boolean[]) AS n (uid, is_seen)
        ON CONFLICT (owner_id, folder_id, uid, reader_id)
        DO UPDATE SET is_seen = EXCLUDED.is_seen, modseq = EXCLUDED.modseq
        """,
        [owner, folder_id, reader, modseq, list(seen), list(seen.values())],
    )


def tell_reader(
    db: psycopg.Connection[Any],
    reader: MailboxId,
    owner: MailboxId,
    folder_id: FolderId,
    modseq: ModSeq,
    uids: Sequence[Uid],
) -> None:
    """Change record for the reader's own sessions; the folder moves to `modseq`."""
    db.execute(
        """
        WITH folder AS (
            UPDATE mail_folder SET highest_modseq = %(modseq)s
            WHERE owner_id = %(owner)s AND id = %(folder)s AND highest_modseq < %(modseq)s
        )
        INSERT INTO mail_change (owner_id, folder_id, modseq, kind, uids, reader_id)
        VALUES (%(owner)s, %(folder)s, %(modseq)s, 4, %(uids)s, %(reader)s)
        """,
        {
            "owner": owner,
            "folder": folder_id,
            "modseq": modseq,
            "uids": format_set(uids),
            "reader": reader,
        },
    )
