"""COPY and MOVE (RFC 9051 §6.4.7, §6.4.8), and EXPUNGE from its own module.

Each chunk of CHUNK entries is a transaction with a modseq of its own, so that a great command never stops delivery.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.expunging import Expunged, expunge, forget_seen
from accounts.mailstore.flagbits import ALL_BITS, FIRST_KEYWORD_BIT, KEYWORDS_MAXIMUM, extended
from accounts.mailstore.locking import lock_folders, lock_mailbox
from accounts.mailstore.numbering import chunks, count_rows
from accounts.mailstore.sequence_sets import format_set
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
    return _copy(db, owner, source, uids, target, cause, kept, is_move=False)


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


_SOURCE_ENTRIES = """
SELECT e.uid, e.flags, e.message_id, m.size, e.internal_date
FROM mail_entry e JOIN mail_message m ON m.owner_id = e.owner_id AND m.id = e.message_id
WHERE e.owner_id = %s AND e.folder_id = %s AND e.uid = ANY(%s) ORDER BY e.uid
"""

_FILE = """
WITH entry AS (
    INSERT INTO mail_entry
        (owner_id, folder_id, uid, message_id, internal_date, save_date, flags, modseq)
    SELECT %(owner)s, %(target)s, n.uid, n.message, n.date, now(), n.flags, %(modseq)s
    FROM unnest(%(new_uids)s::bigint[], %(messages)s::bigint[], %(dates)s::timestamptz[],
        %(new_flags)s::bigint[]) AS n (uid, message, date, flags)
), folder AS (
    UPDATE mail_folder SET uid_next = %(uid_next)s, highest_modseq = %(modseq)s,
        message_count = message_count + %(count)s, unseen_count = unseen_count + %(unseen)s,
        deleted_count = deleted_count + %(deleted)s, size_bytes = size_bytes + %(size)s,
        keywords = %(keywords)s
    WHERE owner_id = %(owner)s AND id = %(target)s
), box AS (
    UPDATE accounts_mailbox SET used_bytes = used_bytes + %(size)s,
        used_messages = used_messages + %(count)s
    WHERE id = %(owner)s AND NOT %(is_move)s
), change AS (
    INSERT INTO mail_change (owner_id, folder_id, modseq, kind, uids)
    VALUES (%(owner)s, %(target)s, %(modseq)s, 1, %(new_set)s)
)
INSERT INTO mail_event (owner_id, kind, cause, folder_id, target_folder_id, message_ids)
VALUES (%(owner)s, CASE WHEN %(is_move)s THEN 'move' ELSE 'copy' END, %(cause)s,
    %(source)s, %(target)s, %(messages)s)
"""

_LEAVE = """
WITH entry AS (
    DELETE FROM mail_entry
    WHERE owner_id = %(owner)s AND folder_id = %(source)s AND uid = ANY(%(old_uids)s)
), change AS (
    INSERT INTO mail_change (owner_id, folder_id, modseq, kind, uids)
    VALUES (%(owner)s, %(source)s, %(modseq)s, 3, %(old_set)s)
)
UPDATE mail_folder SET highest_modseq = %(modseq)s,
    message_count = message_count - %(count)s, unseen_count = unseen_count - %(unseen)s,
    deleted_count = deleted_count - %(deleted)s, size_bytes = size_bytes - %(size)s
WHERE owner_id = %(owner)s AND id = %(source)s
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
    done: list[tuple[list[Uid], list[Uid]]] = []
    source_modseq = target_modseq = None
    uids = sorted(set(uids))
    for chunk in chunks(uids) or [[]]:
        with db.transaction():
            if not is_move:
                lock_mailbox(db, owner)
                if not done:
                    check_quota(db, owner, source, uids, owner)
            folders = lock_folders(db, owner, (source, target))
            rows = db.execute(
                _SOURCE_ENTRIES, [owner, source, chunk], prepare=True, binary=True
            ).fetchall()
            source_modseq = folders[source].highest_modseq
            if not rows:
                continue
            target_modseq = ModSeq(folders[target].highest_modseq + 1)
            filed = rows if kept == ALL_BITS else [(r[0], r[1] & kept, *r[2:]) for r in rows]
            parameters = _filing(filed, folders[source], folders[target], target_modseq)
            parameters |= {"owner": owner, "cause": cause, "is_move": is_move}
            db.execute(_FILE, parameters, prepare=True)
            if is_move:
                # A folder that is source and target has both changes under one modseq.
                source_modseq = target_modseq if source == target else ModSeq(source_modseq + 1)
                left = parameters | {"modseq": source_modseq} | count_rows(rows)
                db.execute(_LEAVE, left, prepare=True)
            if folders[source].is_shared:
                if folders[target].is_shared:
                    db.execute(_CARRY_SEEN, parameters, prepare=True)
                if is_move:
                    forget_seen(db, owner, source, parameters["old_uids"])
            done.append((parameters["old_uids"], parameters["new_uids"]))
    return Copied(
        folders[target].uid_validity,
        tuple(uid for old, _ in done for uid in old),
        tuple(uid for _, new in done for uid in new),
        target_modseq,
        source_modseq if is_move else None,
    )


def _filing(
    rows: Sequence[tuple[Any, ...]], source: FolderState, target: FolderState, modseq: ModSeq
) -> dict[str, Any]:
    """The parameters of the entries that go from `source` to `target`."""
    old_uids = [row[0] for row in rows]
    new_uids = list(range(target.uid_next, target.uid_next + len(rows)))
    keywords, translated = translate_flags(rows, source, target)
    return {
        "source": source.id,
        "target": target.id,
        "modseq": modseq,
        "old_uids": old_uids,
        "new_uids": new_uids,
        "old_set": format_set(old_uids),
        "new_set": format_set(new_uids),
        "uid_next": new_uids[-1] + 1,
        "messages": [row[2] for row in rows],
        "dates": [row[4] for row in rows],
        "new_flags": translated,
        "keywords": list(keywords),
        **count_rows(rows),
    }


def translate_flags(
    rows: Sequence[tuple[Any, ...]], source: FolderState, target: FolderState
) -> tuple[tuple[str, ...], list[int]]:
    """The target's keywords afterwards, and each row's flags in its bits; what has no bit left is lost."""
    used = 0
    for row in rows:
        used |= row[1]
    names = {
        1 << bit: source.keywords[bit - FIRST_KEYWORD_BIT]
        for bit in range(FIRST_KEYWORD_BIT, FIRST_KEYWORD_BIT + KEYWORDS_MAXIMUM)
        if used >> bit & 1
    }
    keywords = extended(target.keywords, names.values())
    place = {name.lower(): 1 << (FIRST_KEYWORD_BIT + i) for i, name in enumerate(keywords)}
    bits = {old: place.get(name.lower(), 0) for old, name in names.items()}
    system = (1 << FIRST_KEYWORD_BIT) - 1
    memo: dict[int, int] = {}
    for row in rows:
        flags = row[1]
        if flags not in memo:
            memo[flags] = flags & system | sum(new for old, new in bits.items() if flags & old)
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
