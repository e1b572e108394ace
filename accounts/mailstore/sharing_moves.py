"""COPY and MOVE as a reader of the source, into a folder of the same owner or of another (RFC 4314 §4, RFC 6851 §4.2).

What goes to another owner becomes that owner's message: it shares the blob, and counts for the new owner's quota.
Transactions are as in `moving`.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import psycopg

from accounts.mailstore.expunging import remove_entries
from accounts.mailstore.flagbits import ALL_BITS, SEEN
from accounts.mailstore.locking import lock_folders, lock_mailbox
from accounts.mailstore.moving import (
    Copied,
    as_a_whole,
    check_quota,
    copy_messages,
    move_messages,
    translate_flags,
)
from accounts.mailstore.numbering import chunks, count_rows
from accounts.mailstore.sequence_sets import format_set
from accounts.mailstore.sharing import require, rights_in
from accounts.mailstore.sharing_flags import keep_seen, permitted_bits
from accounts.mailstore.values import FolderId, FolderState, MailboxId, ModSeq, NoPermission, Uid


def copy_as(
    db: psycopg.Connection[Any],
    reader: MailboxId,
    owner: MailboxId,
    source: FolderId,
    uids: Sequence[Uid],
    target_owner: MailboxId,
    target: FolderId,
    *,
    is_move: bool,
    cause: str = "imap",
) -> Copied:
    """New entries in `target`, with the flags that the reader may set there; `is_move`: they leave `source`.

    Raises NoPermission, NoSuchFolder; OverQuota (of the target's owner) before anything is copied.
    """
    require(db, owner, source, reader, "te" if is_move else "")
    rights = rights_in(db, target_owner, target, reader)
    if "i" not in rights:
        raise NoPermission
    if owner == target_owner:
        kept = ALL_BITS if reader == owner else permitted_bits(rights) | SEEN
        service = move_messages if is_move else copy_messages
        copied = service(db, owner, source, uids, target, cause=cause, kept=kept)
        if "s" not in rights:
            db.execute(
                "DELETE FROM mail_seen WHERE owner_id = %s AND folder_id = %s AND uid = ANY(%s)"
                " AND reader_id = %s",
                [owner, target, list(copied.target), reader],
            )
        return copied
    with nullcontext() if is_move else as_a_whole(db, uids):
        return _copy_across(
            db, reader, owner, source, uids, target_owner, target, rights, cause, is_move=is_move
        )


def _copy_across(
    db: psycopg.Connection[Any],
    reader: MailboxId,
    owner: MailboxId,
    source: FolderId,
    uids: Sequence[Uid],
    target_owner: MailboxId,
    target: FolderId,
    rights: str,
    cause: str,
    *,
    is_move: bool,
) -> Copied:
    done: list[tuple[Uid, Uid]] = []
    source_modseq = target_modseq = None
    uids = sorted(set(uids))
    for chunk in chunks(uids) or [[]]:
        with db.transaction():
            states = _lock(db, {source: owner, target: target_owner})
            if not done:
                check_quota(db, owner, source, uids, target_owner)
            rows = db.execute(
                _SOURCE, {"owner": owner, "folder": source, "reader": reader, "uids": chunk}
            ).fetchall()
            if not rows:
                continue
            kept = permitted_bits(rights)
            rows = [(row[0], row[1] & kept, *row[2:]) for row in rows]
            target_modseq = ModSeq(states[target].highest_modseq + 1)
            filed = _file(db, reader, rows, states[source], states[target], cause)
            moved = [Uid(row[0]) for row in rows]
            if is_move:
                source_modseq = remove_entries(db, owner, source, moved, cause=cause).modseq
            done += zip(moved, filed, strict=True)
    return Copied(
        states[target].uid_validity,
        tuple(old for old, _ in done),
        tuple(new for _, new in done),
        target_modseq,
        source_modseq,
    )


def _lock(
    db: psycopg.Connection[Any], folders: dict[FolderId, MailboxId]
) -> dict[FolderId, FolderState]:
    """In the store's one order: mailboxes by id, then folders by id."""
    for owner in sorted(folders.values()):
        lock_mailbox(db, owner)
    states: dict[FolderId, FolderState] = {}
    for folder, owner in sorted(folders.items()):
        states |= lock_folders(db, owner, [folder])
    return states


def _file(
    db: psycopg.Connection[Any],
    reader: MailboxId,
    rows: list[tuple[Any, ...]],
    source: FolderState,
    target: FolderState,
    cause: str,
) -> list[Uid]:
    """Make messages and entries of the target's owner of these rows of _SOURCE; their UIDs."""
    modseq = ModSeq(target.highest_modseq + 1)
    uids = [Uid(target.uid_next + place) for place in range(len(rows))]
    seen = {uid: True for uid, row in zip(uids, rows, strict=True) if row[1] & SEEN}
    if reader != target.owner:
        rows = [(row[0], row[1] & ~SEEN, *row[2:]) for row in rows]
    keywords, flags = translate_flags(rows, source, target)
    db.execute(
        _FILE.format(**{table: _copied_columns(db, table) for table in _NOT_COPIED}),
        {
            "from": source.owner,
            "owner": target.owner,
            "target": target.id,
            "modseq": modseq,
            "old": [row[2] for row in rows],
            "new": _new_ids(db, len(rows)),
            "uids": uids,
            "dates": [row[4] for row in rows],
            "flags": flags,
            "keywords": list(keywords),
            "uid_next": uids[-1] + 1,
            "set": format_set(uids),
            "cause": cause,
            **count_rows(rows),
        },
    )
    if seen and reader != target.owner:
        keep_seen(db, reader, target.owner, target.id, modseq, seen)
    return uids


_SOURCE = f"""
SELECT e.uid, CASE WHEN e.owner_id = %(reader)s THEN e.flags
        ELSE e.flags & ~{SEEN}::bigint | CASE WHEN s.is_seen THEN {SEEN} ELSE 0 END END,
    e.message_id, m.size, e.internal_date
FROM mail_entry e JOIN mail_message m ON m.owner_id = e.owner_id AND m.id = e.message_id
LEFT JOIN mail_seen s
    ON s.owner_id = e.owner_id AND s.folder_id = e.folder_id AND s.uid = e.uid AND s.reader_id = %(reader)s
WHERE e.owner_id = %(owner)s AND e.folder_id = %(folder)s AND e.uid = ANY(%(uids)s) ORDER BY e.uid
"""

_NOT_COPIED = {
    "mail_message": ("owner_id", "id", "arrived_at"),
    "mail_rendered": ("owner_id", "message_id"),
    "mail_search_text": ("owner_id", "message_id"),
}

_FILE = """
WITH named AS MATERIALIZED (
    SELECT * FROM unnest(%(old)s::bigint[], %(new)s::bigint[], %(uids)s::bigint[],
        %(dates)s::timestamptz[], %(flags)s::bigint[]) AS n (old, new, uid, date, flags)
), message AS (
    INSERT INTO mail_message (owner_id, id, {mail_message})
    SELECT %(owner)s, n.new, {mail_message}
    FROM named n JOIN mail_message m ON m.owner_id = %(from)s AND m.id = n.old
), rendered AS (
    INSERT INTO mail_rendered (owner_id, message_id, {mail_rendered})
    SELECT %(owner)s, n.new, {mail_rendered}
    FROM named n JOIN mail_rendered r ON r.owner_id = %(from)s AND r.message_id = n.old
), searchable AS (
    INSERT INTO mail_search_text (owner_id, message_id, {mail_search_text})
    SELECT %(owner)s, n.new, {mail_search_text}
    FROM named n JOIN mail_search_text t ON t.owner_id = %(from)s AND t.message_id = n.old
), entry AS (
    INSERT INTO mail_entry
        (owner_id, folder_id, uid, message_id, internal_date, save_date, flags, modseq)
    SELECT %(owner)s, %(target)s, uid, new, date, now(), flags, %(modseq)s FROM named
), folder AS (
    UPDATE mail_folder SET uid_next = %(uid_next)s, highest_modseq = %(modseq)s,
        message_count = message_count + %(count)s, unseen_count = unseen_count + %(unseen)s,
        deleted_count = deleted_count + %(deleted)s, size_bytes = size_bytes + %(size)s,
        keywords = %(keywords)s
    WHERE owner_id = %(owner)s AND id = %(target)s
), box AS (
    UPDATE accounts_mailbox SET used_bytes = used_bytes + %(size)s,
        used_messages = used_messages + %(count)s
    WHERE id = %(owner)s
), change AS (
    INSERT INTO mail_change (owner_id, folder_id, modseq, kind, uids)
    VALUES (%(owner)s, %(target)s, %(modseq)s, 1, %(set)s)
)
INSERT INTO mail_event (owner_id, kind, cause, folder_id, message_ids)
VALUES (%(owner)s, 'arrival', %(cause)s, %(target)s, %(new)s)
"""


def _new_ids(db: psycopg.Connection[Any], count: int) -> list[int]:
    rows = db.execute(
        "SELECT nextval(pg_get_serial_sequence('mail_message', 'id')) FROM generate_series(1, %s)",
        [count],
    ).fetchall()
    return [id_ for (id_,) in rows]


def _copied_columns(db: psycopg.Connection[Any], table: str) -> str:
    """What describes a message, and not whose it is or where."""
    row = db.execute(
        """
        SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
        WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
            AND attname <> ALL(%s)
        """,
        [table, list(_NOT_COPIED[table])],
    ).fetchone()
    return str(row[0]) if row is not None else ""
