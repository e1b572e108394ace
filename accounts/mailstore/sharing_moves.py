"""COPY and MOVE as a reader of the source, into a folder of the same owner or of another (RFC 4314 §4, RFC 6851 §4.2).

What goes to another owner becomes that owner's message: it shares the blob, and counts for the new owner's quota. Each
chunk of CHUNK entries is a transaction.
"""

from collections.abc import Sequence
from typing import Any

import psycopg

from accounts.mailstore.expunging import remove_entries
from accounts.mailstore.flagbits import ALL_BITS, SEEN
from accounts.mailstore.locking import lock_folders, lock_mailbox
from accounts.mailstore.moving import (
    Copied,
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
    old: list[Uid] = []
    new: list[Uid] = []
    validity, target_modseq, source_modseq = 0, None, None
    uids = sorted(set(uids))
    for chunk in chunks(uids) or [[]]:
        with db.transaction():
            for one in sorted((owner, target_owner)):
                lock_mailbox(db, one)
            states: dict[FolderId, FolderState] = {}
            for one, folder in sorted(
                ((owner, source), (target_owner, target)), key=lambda x: x[1]
            ):
                states |= lock_folders(db, one, [folder])
            validity = states[target].uid_validity
            if not old:
                check_quota(db, owner, source, uids, target_owner)
            rows = db.execute(
                _SOURCE, {"owner": owner, "folder": source, "reader": reader, "uids": chunk}
            ).fetchall()
            if not rows:
                continue
            target_modseq = ModSeq(states[target].highest_modseq + 1)
            kept = permitted_bits(rights)
            rows = [(row[0], row[1] & kept, *row[2:]) for row in rows]
            seen = {row[0] for row in rows if row[1] & SEEN}
            if reader != target_owner:
                rows = [(row[0], row[1] & ~SEEN, *row[2:]) for row in rows]
            first = states[target].uid_next
            filed = list(map(Uid, range(first, first + len(rows))))
            keywords, flags = translate_flags(rows, states[source], states[target])
            db.execute(
                _FILE,
                {
                    "from": owner,
                    "owner": target_owner,
                    "target": target,
                    "modseq": target_modseq,
                    "old": [row[2] for row in rows],
                    "new": _new_ids(db, len(rows)),
                    "uids": filed,
                    "dates": [row[4] for row in rows],
                    "flags": flags,
                    "keywords": list(keywords),
                    "uid_next": filed[-1] + 1,
                    "set": format_set(filed),
                    "cause": cause,
                    **count_rows(rows),
                },
            )
            if reader != target_owner:
                made = {uid: True for uid, row in zip(filed, rows, strict=True) if row[0] in seen}
                keep_seen(db, reader, target_owner, target, target_modseq, made)
            moved = [Uid(row[0]) for row in rows]
            if is_move:
                source_modseq = remove_entries(db, owner, source, moved, cause=cause).modseq
            old += moved
            new += filed
    return Copied(validity, tuple(old), tuple(new), target_modseq, source_modseq)


_SOURCE = f"""
SELECT e.uid, CASE WHEN e.owner_id = %(reader)s THEN e.flags
        ELSE e.flags & ~{SEEN}::bigint | CASE WHEN s.is_seen THEN {SEEN} ELSE 0 END END,
    e.message_id, m.size, e.internal_date
FROM mail_entry e JOIN mail_message m ON m.owner_id = e.owner_id AND m.id = e.message_id
LEFT JOIN mail_seen s
    ON s.owner_id = e.owner_id AND s.folder_id = e.folder_id AND s.uid = e.uid AND s.reader_id = %(reader)s
WHERE e.owner_id = %(owner)s AND e.folder_id = %(folder)s AND e.uid = ANY(%(uids)s) ORDER BY e.uid
"""

_MESSAGE = """blob_id, prefix, size, header_size, sent_at, sent_on, message_id, reference_ids,
    base_subject, sort_from, sort_to, sort_cc, is_reply, display_from,
    display_to, thread_id"""

_FILE = f"""
WITH named AS MATERIALIZED (
    SELECT * FROM unnest(%(old)s::bigint[], %(new)s::bigint[], %(uids)s::bigint[],
        %(dates)s::timestamptz[], %(flags)s::bigint[]) AS n (old, new, uid, date, flags)
), message AS (
    INSERT INTO mail_message (owner_id, id, {_MESSAGE})
    SELECT %(owner)s, n.new, {", ".join("m." + c.strip() for c in _MESSAGE.split(","))}
    FROM named n JOIN mail_message m ON m.owner_id = %(from)s AND m.id = n.old
), rendered AS (
    INSERT INTO mail_rendered (owner_id, message_id, envelope, body, body_structure, parts)
    SELECT %(owner)s, n.new, r.envelope, r.body, r.body_structure, r.parts
    FROM named n JOIN mail_rendered r ON r.owner_id = %(from)s AND r.message_id = n.old
), searchable AS (
    INSERT INTO mail_search_text
        (owner_id, message_id, subject, sender, recipients, copied, header, body)
    SELECT %(owner)s, n.new, t.subject, t.sender, t.recipients, t.copied, t.header, t.body
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
