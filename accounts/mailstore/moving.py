"""COPY and MOVE (RFC 9051 §6.4.7, §6.4.8), and EXPUNGE from its own module.

Each chunk of CHUNK entries has a modseq of its own. A chunk that moves is a transaction, so that a great command never
stops delivery; a COPY is one as a whole, since it may not leave a part of its work behind.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore import numbering
from accounts.mailstore.expunging import Expunged, expunge, forget_seen
from accounts.mailstore.flagbits import (
    ALL_BITS,
    DELETED,
    FIRST_KEYWORD_BIT,
    KEYWORDS_MAXIMUM,
    SEEN,
    extended,
)
from accounts.mailstore.locking import lock_folders, lock_mailbox
from accounts.mailstore.numbering import chunks, unpack
from accounts.mailstore.uid_choice import chosen, set_of
from accounts.mailstore.values import FolderId, FolderState, MailboxId, ModSeq, OverQuota, Uid

__all__ = ["Copied", "Expunged", "copy_messages", "expunge", "move_messages"]


@dataclass(frozen=True, slots=True)
class Copied:
    """For COPYUID: `source` and `target` are parallel. UIDs that do not exist are in neither.

    `target_modseq` is None when nothing was copied; `source_modseq` is None for COPY.
    """

    uid_validity: int
    source: tuple[Uid, ...]
    target: tuple[Uid, ...]
    target_modseq: ModSeq | None
    source_modseq: ModSeq | None


def copy_messages(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    source: FolderId,
    uids: Sequence[Uid],
    target: FolderId,
    *,
    cause: str = "imap",
    kept: int = ALL_BITS,
) -> Copied:
    """New entries of the same messages; flags, keywords and internal dates go with them, of the flags those in `kept`.

    Raises NoSuchFolder; OverQuota, before anything is copied.
    """
    with as_a_whole(db, uids):
        return _copy(db, owner, source, uids, target, cause, kept, is_move=False)


def as_a_whole(db: psycopg.Connection[Any], uids: Sequence[Uid]) -> AbstractContextManager[object]:
    """For a COPY of several chunks: one that fails leaves nothing behind (RFC 9051 §6.4.7)."""
    return db.transaction() if len(uids) > numbering.CHUNK else nullcontext()


def move_messages(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    source: FolderId,
    uids: Sequence[Uid],
    target: FolderId,
    *,
    cause: str = "imap",
    kept: int = ALL_BITS,
) -> Copied:
    """The same, and the entries leave the source with it. Into the same folder they get new UIDs.

    Raises NoSuchFolder.
    """
    return _copy(db, owner, source, uids, target, cause, kept, is_move=True)


_USED_BITS = """
SELECT bit_or(e.flags) FROM mail_entry e
WHERE e.owner_id = %(owner)s AND e.folder_id = %(source)s AND {choice}
"""

_FILE = """
WITH filed AS MATERIALIZED (
    SELECT e.uid AS old_uid, %(uid_next)s - 1 + row_number() OVER (ORDER BY e.uid) AS uid,
        e.message_id, e.internal_date, {flags} AS flags,
        (SELECT m.size FROM mail_message m WHERE m.owner_id = e.owner_id AND m.id = e.message_id) AS size
    FROM mail_entry e WHERE e.owner_id = %(owner)s AND e.folder_id = %(source)s AND {choice}
), total AS MATERIALIZED (
    SELECT count(*) AS entries, count(*) FILTER (WHERE flags & {seen} = 0) AS unseen,
        count(*) FILTER (WHERE flags & {deleted} <> 0) AS deleted,
        COALESCE(sum(size), 0)::bigint AS size, array_agg(message_id ORDER BY uid) AS messages
    FROM filed
), entry AS (
    INSERT INTO mail_entry
        (owner_id, folder_id, uid, message_id, internal_date, save_date, flags, modseq)
    SELECT %(owner)s, %(target)s, uid, message_id, internal_date, now(), flags, %(modseq)s
    FROM filed
), folder AS (
    UPDATE mail_folder f SET uid_next = f.uid_next + t.entries, highest_modseq = %(modseq)s,
        message_count = f.message_count + t.entries, unseen_count = f.unseen_count + t.unseen,
        deleted_count = f.deleted_count + t.deleted, size_bytes = f.size_bytes + t.size,
        keywords = %(keywords)s
    FROM total t WHERE f.owner_id = %(owner)s AND f.id = %(target)s AND t.entries > 0
), box AS (
    UPDATE accounts_mailbox b SET used_bytes = b.used_bytes + t.size,
        used_messages = b.used_messages + t.entries
    FROM total t WHERE b.id = %(owner)s AND t.entries > 0 AND NOT %(is_move)s
), change AS (
    INSERT INTO mail_change (owner_id, folder_id, modseq, kind, uids)
    SELECT %(owner)s, %(target)s, %(modseq)s, 1, {set} FROM total WHERE entries > 0
), event AS (
    INSERT INTO mail_event (owner_id, kind, cause, folder_id, target_folder_id, message_ids)
    SELECT %(owner)s, CASE WHEN %(is_move)s THEN 'move' ELSE 'copy' END, %(cause)s,
        %(source)s, %(target)s, messages
    FROM total WHERE entries > 0
)
SELECT string_agg(int8send(old_uid), NULL ORDER BY old_uid), (SELECT size FROM total) FROM filed
"""

_LEAVE = """
WITH gone AS (
    DELETE FROM mail_entry e
    WHERE e.owner_id = %(owner)s AND e.folder_id = %(source)s AND {choice} RETURNING e.uid, e.flags
), total AS MATERIALIZED (
    SELECT count(*) AS entries, count(*) FILTER (WHERE flags & {seen} = 0) AS unseen,
        count(*) FILTER (WHERE flags & {deleted} <> 0) AS deleted
    FROM gone
), change AS (
    INSERT INTO mail_change (owner_id, folder_id, modseq, kind, uids)
    SELECT %(owner)s, %(source)s, %(modseq)s, 3, {set} FROM total
)
UPDATE mail_folder f SET highest_modseq = %(modseq)s,
    message_count = f.message_count - t.entries, unseen_count = f.unseen_count - t.unseen,
    deleted_count = f.deleted_count - t.deleted, size_bytes = f.size_bytes - %(size)s
FROM total t WHERE f.owner_id = %(owner)s AND f.id = %(source)s
"""

# What other readers have seen of them.
_CARRY_SEEN = """
INSERT INTO mail_seen (owner_id, folder_id, uid, reader_id, is_seen, modseq)
SELECT %(owner)s, %(target)s, n.new, s.reader_id, s.is_seen, %(modseq)s
FROM unnest(%(old_uids)s::bigint[], %(new_uids)s::bigint[]) AS n (old, new)
JOIN mail_seen s ON s.owner_id = %(owner)s AND s.folder_id = %(source)s AND s.uid = n.old
"""


def _copy(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    source: FolderId,
    uids: Sequence[Uid],
    target: FolderId,
    cause: str,
    kept: int,
    *,
    is_move: bool,
) -> Copied:
    done: list[tuple[list[Uid], range]] = []
    source_modseq = target_modseq = None
    uids = sorted(set(uids))
    for chunk in chunks(uids) or [[]]:
        with db.transaction():
            if not is_move:
                lock_mailbox(db, owner)
                if not done:
                    check_quota(db, owner, source, uids, owner)
            folders = lock_folders(db, owner, (source, target))
            source_modseq = folders[source].highest_modseq
            modseq = ModSeq(folders[target].highest_modseq + 1)
            names = {"owner": owner, "source": source, "target": target, "cause": cause}
            filed = _file(db, names, folders, chunk, modseq, kept, is_move=is_move)
            if not filed:
                continue
            target_modseq = modseq
            old_uids, size = filed
            new_uids = range(folders[target].uid_next, folders[target].uid_next + len(old_uids))
            if is_move:
                # A folder that is source and target has both changes under one modseq.
                source_modseq = modseq if source == target else ModSeq(source_modseq + 1)
                choice, parameters = chosen(old_uids)
                statement = _LEAVE.format(
                    choice=choice, set=set_of("gone"), seen=SEEN, deleted=DELETED
                )
                parameters |= names | {"modseq": source_modseq, "size": size}
                db.execute(statement, parameters, prepare=True)
            if folders[source].is_shared:
                if folders[target].is_shared:
                    parameters = {"old_uids": old_uids, "new_uids": list(new_uids)}
                    db.execute(_CARRY_SEEN, names | parameters | {"modseq": modseq}, prepare=True)
                if is_move:
                    forget_seen(db, owner, source, old_uids)
            done.append((old_uids, new_uids))
    return Copied(
        folders[target].uid_validity,
        tuple(uid for old, _ in done for uid in old),
        tuple(Uid(uid) for _, new in done for uid in new),
        target_modseq,
        source_modseq if is_move else None,
    )


def _file(
    db: psycopg.Connection[Any],
    names: dict[str, Any],
    folders: dict[FolderId, FolderState],
    uids: Sequence[Uid],
    modseq: ModSeq,
    kept: int,
    *,
    is_move: bool,
) -> tuple[list[Uid], int] | None:
    """Make the target's entries of those of `uids` that exist: their old UIDs and size; None if there is none."""
    source, target = folders[names["source"]], folders[names["target"]]
    choice, parameters = chosen(uids)
    used = 0
    if source.keywords and kept >> FIRST_KEYWORD_BIT:
        row = db.execute(
            _USED_BITS.format(choice=choice), names | parameters, prepare=True
        ).fetchone()
        used = (row[0] or 0) & kept if row else 0
    keywords, bits = _translation(used, source, target)
    row = db.execute(
        _FILE.format(
            choice=choice,
            flags=_TRANSLATED if bits else f"e.flags & {SYSTEM_BITS} & %(kept)s",
            set=set_of("filed"),
            seen=SEEN,
            deleted=DELETED,
        ),
        names
        | parameters
        | {
            "uid_next": target.uid_next,
            "modseq": modseq,
            "keywords": list(keywords),
            "kept": kept,
            "old_bits": list(bits),
            "new_bits": list(bits.values()),
            "is_move": is_move,
        },
        prepare=True,
        binary=True,
    ).fetchone()
    old = [Uid(uid) for uid in unpack(row[0])] if row else []
    return (old, row[1]) if row and old else None


SYSTEM_BITS = (1 << FIRST_KEYWORD_BIT) - 1

_TRANSLATED = f"""(e.flags & {SYSTEM_BITS} & %(kept)s | (
    SELECT COALESCE(bit_or(b.new), 0) FROM unnest(%(old_bits)s::bigint[], %(new_bits)s::bigint[]) AS b (old, new)
    WHERE e.flags & b.old <> 0))"""


def _translation(
    used: int, source: FolderState, target: FolderState
) -> tuple[tuple[str, ...], dict[int, int]]:
    """The target's keywords afterwards, and what becomes of each keyword's bit; one that finds no bit is lost."""
    names = {
        1 << bit: source.keywords[bit - FIRST_KEYWORD_BIT]
        for bit in range(FIRST_KEYWORD_BIT, FIRST_KEYWORD_BIT + KEYWORDS_MAXIMUM)
        if used >> bit & 1
    }
    keywords = extended(target.keywords, names.values())
    place = {name.lower(): 1 << (FIRST_KEYWORD_BIT + i) for i, name in enumerate(keywords)}
    return keywords, {old: place.get(name.lower(), 0) for old, name in names.items()}


def translate_flags(
    rows: Sequence[tuple[Any, ...]], source: FolderState, target: FolderState
) -> tuple[tuple[str, ...], list[int]]:
    """The target's keywords afterwards, and the flags of rows of (uid, flags, …) in its bits."""
    used = 0
    for row in rows:
        used |= row[1]
    keywords, bits = _translation(used, source, target)
    memo: dict[int, int] = {}
    for row in rows:
        flags = row[1]
        if flags not in memo:
            memo[flags] = flags & SYSTEM_BITS | sum(new for old, new in bits.items() if flags & old)
    return keywords, [memo[row[1]] for row in rows]


def check_quota(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    source: FolderId,
    uids: Sequence[Uid],
    payer: MailboxId,
) -> None:
    """Raises OverQuota when a copy of all of `uids` has no room with `payer`, whose mailbox row is locked."""
    over = db.execute(
        """
        SELECT b.used_bytes + more.size > b.quota_bytes
            OR b.used_messages + more.entries > b.quota_messages
        FROM accounts_mailbox b, LATERAL (
            SELECT COALESCE(sum(m.size), 0) AS size, count(*) AS entries FROM mail_entry e
                JOIN mail_message m ON m.owner_id = e.owner_id AND m.id = e.message_id
            WHERE e.owner_id = %s AND e.folder_id = %s AND e.uid = ANY(%s)) AS more
        WHERE b.id = %s AND (b.quota_bytes IS NOT NULL OR b.quota_messages IS NOT NULL)
        """,
        [owner, source, list(uids), payer],
        prepare=True,
    ).fetchone()
    if over is not None and over[0]:
        raise OverQuota(payer)
