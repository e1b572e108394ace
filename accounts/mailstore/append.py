"""append_message: one message to all its placements, in one statement.

The statement is one data-modifying CTE, since round trips and separate plans are what a delivery costs. Its parts
take locks in the store's one order: the blob, the mailboxes by id, the folders by id. Each part names the
part before it in a condition, which makes PostgreSQL finish that one first. When an owner is over quota
or a folder is missing, `grown` is empty and nothing after it is written.
"""

import json
import re
from collections.abc import Sequence
from contextlib import nullcontext
from functools import lru_cache
from typing import Any

import psycopg

from accounts.journal.trace import TraceEvent, trace_row
from accounts.mailstore.blobs import INLINE_MAXIMUM, drop_unused_object, object_for
from accounts.mailstore.flagbits import (
    DELETED,
    KEYWORD_LENGTH_MAXIMUM,
    SEEN,
    split_flags,
    with_synonyms,
)
from accounts.mailstore.folders import create_special_folder
from accounts.mailstore.headers import header_end
from accounts.mailstore.values import (
    Appended,
    FolderId,
    MailboxId,
    MessageId,
    ModSeq,
    NewMessage,
    NoSuchFolder,
    OverQuota,
    Placement,
    Uid,
)

_APPEND = """
WITH blob AS (
    INSERT INTO mail_blob (sha256, size, content, object_name)
    VALUES (%(sha256)s, %(size)s, %(content)s, %(object_name)s)
    ON CONFLICT (sha256) DO UPDATE SET used_at = now()
    RETURNING id, object_name
), placement AS MATERIALIZED (
    SELECT p.*, CASE
        WHEN p.folder IS NOT NULL THEN p.folder
        WHEN p.use = '' THEN (
            SELECT f.id FROM mail_folder f WHERE f.owner_id = p.owner AND f.name = 'INBOX')
        ELSE (
            SELECT f.id FROM mail_folder f
            WHERE f.owner_id = p.owner AND f.special_use = p.use AND f.special_use <> '')
        END AS folder_id
    FROM jsonb_to_recordset(%(placements)s) AS p (
        place int, owner bigint, folder bigint, use text, message int, size bigint,
        flags bigint, keywords text[], date timestamptz)
    LIMIT {limit}
), charge AS MATERIALIZED (
    SELECT owner, sum(size) AS size, count(*) AS entries FROM placement GROUP BY owner
), box AS MATERIALIZED (
    SELECT b.id, b.used_bytes + c.size > b.quota_bytes AS is_over
    FROM accounts_mailbox b JOIN charge c ON c.owner = b.id
    WHERE (SELECT id FROM blob) IS NOT NULL
    ORDER BY b.id FOR NO KEY UPDATE OF b
), wanted AS MATERIALIZED (
    SELECT owner, folder_id, count(*) AS entries, sum(size) AS size,
        count(*) FILTER (WHERE flags & {seen} = 0) AS unseen,
        count(*) FILTER (WHERE flags & {deleted} <> 0) AS deleted,
        string_agg(array_to_string(keywords, ' '), ' ') AS keywords
    FROM placement GROUP BY owner, folder_id
), locked AS MATERIALIZED (
    SELECT f.id
    FROM mail_folder f JOIN wanted w ON f.owner_id = w.owner AND f.id = w.folder_id
    WHERE (SELECT bool_and(is_over IS NOT TRUE) FROM box)
    ORDER BY f.id FOR NO KEY UPDATE OF f
), grown AS (
    UPDATE mail_folder f SET
        uid_next = f.uid_next + w.entries,
        highest_modseq = f.highest_modseq + 1,
        message_count = f.message_count + w.entries,
        unseen_count = f.unseen_count + w.unseen,
        deleted_count = f.deleted_count + w.deleted,
        size_bytes = f.size_bytes + w.size,
        keywords = CASE WHEN w.keywords <> ''
            THEN mail_add_keywords(f.keywords, string_to_array(w.keywords, ' ')) ELSE f.keywords END
    FROM wanted w
    WHERE f.owner_id = w.owner AND f.id = w.folder_id
        AND (SELECT count(*) FROM locked) = (SELECT count(*) FROM wanted)
    RETURNING f.owner_id, f.id, f.uid_validity, f.uid_next - w.entries AS first_uid,
        f.uid_next - 1 AS last_uid, f.highest_modseq AS modseq, f.keywords
), charged AS (
    UPDATE accounts_mailbox b SET
        used_bytes = b.used_bytes + c.size, used_messages = b.used_messages + c.entries
    FROM charge c WHERE b.id = c.owner AND EXISTS (SELECT FROM grown)
), message AS MATERIALIZED (
    SELECT m.message, m.owner AS owner_id, m.prefix, nextval('mail_message_id_seq') AS id
    FROM jsonb_to_recordset(%(messages)s) AS m (message int, owner bigint, prefix text)
    WHERE EXISTS (SELECT FROM grown)
    LIMIT {limit}
), stored AS (
    INSERT INTO mail_message (owner_id, id, blob_id, prefix, size, header_size, sent_at, sent_on,
        message_id, reference_ids, base_subject, sort_from, sort_to, sort_cc)
    SELECT m.owner_id, m.id, (SELECT id FROM blob), decode(m.prefix, 'hex'),
        length(m.prefix) / 2 + %(size)s, %(header_size)s,
        COALESCE(%(sent_at)s, now()), COALESCE(%(sent_on)s, now()::date),
        %(message_id)s, %(reference_ids)s, %(base_subject)s, %(sort_from)s, %(sort_to)s, %(sort_cc)s
    FROM message m
), rendered AS (
    INSERT INTO mail_rendered (owner_id, message_id, envelope, body, body_structure, parts)
    SELECT owner_id, id, %(envelope)s, %(body)s, %(body_structure)s, %(parts)s FROM message
), searchable AS (
    INSERT INTO mail_search_text
        (owner_id, message_id, subject, sender, recipients, copied, header, body)
    SELECT owner_id, id, %(subject)s, %(sender)s, %(recipients)s, %(copied)s, %(header)s, %(text)s
    FROM message
), filed AS MATERIALIZED (
    SELECT p.place, g.owner_id, g.id AS folder_id, g.uid_validity, m.id AS message_id, g.modseq,
        g.first_uid - 1 + row_number() OVER (PARTITION BY g.id ORDER BY p.place) AS uid,
        COALESCE(p.date, now()) AS internal_date,
        p.flags | CASE WHEN cardinality(p.keywords) > 0
            THEN mail_keyword_bits(g.keywords, p.keywords) ELSE 0 END AS flags
    FROM placement p
        JOIN grown g ON g.id = p.folder_id
        JOIN message m ON m.message = p.message
), entry AS (
    INSERT INTO mail_entry
        (owner_id, folder_id, uid, message_id, internal_date, save_date, flags, modseq)
    SELECT owner_id, folder_id, uid, message_id, internal_date, now(), flags, modseq FROM filed
), change AS (
    INSERT INTO mail_change (owner_id, folder_id, modseq, kind, uids)
    SELECT owner_id, id, modseq, 1, CASE WHEN first_uid = last_uid THEN first_uid::text
        ELSE first_uid || ':' || last_uid END
    FROM grown
), event AS (
    INSERT INTO mail_event (owner_id, kind, cause, folder_id, message_ids)
    SELECT owner_id, 'arrival', %(cause)s, folder_id, array_agg(message_id ORDER BY uid)
    FROM filed GROUP BY owner_id, folder_id
), traced AS (
    INSERT INTO trace_event (trace_id, step, result, reason, sender, recipient, queue_id, detail)
    SELECT t.* FROM jsonb_to_recordset(%(trace)s) AS t (trace_id text, step text, result text,
        reason text, sender text, recipient text, queue_id bigint, detail jsonb)
    WHERE EXISTS (SELECT FROM grown)
)
SELECT (SELECT object_name FROM blob), (SELECT min(id) FROM box WHERE is_over),
    f.owner_id, f.folder_id, f.uid_validity, f.uid, f.message_id, f.modseq
FROM (VALUES (1)) AS always LEFT JOIN filed f ON true ORDER BY f.place
"""


def append_message(
    db: psycopg.Connection[Any],
    message: NewMessage,
    placements: Sequence[Placement],
    *,
    cause: str,
    trace: Sequence[TraceEvent] = (),
) -> tuple[Appended, ...]:
    """Store `message` for every placement, or for none: one statement, one round trip.

    A message whose blob is an object takes a transaction of two statements. `cause` goes to the journal ("smtp",
    "imap", "dsn", ...), and `trace` to the trace of the message, in the same transaction. Placements of one owner
    with the same prefix share one message row. A placement keeps its place in the result.
    Raises OverQuota, NoSuchFolder.
    """
    try:
        return _append(db, message, placements, cause, trace)
    except NoSuchFolder:
        if not _make_special_folders(db, placements):
            raise
    return _append(db, message, placements, cause, trace)


def append_messages(
    db: psycopg.Connection[Any],
    messages: Sequence[tuple[NewMessage, Placement]],
    *,
    cause: str,
) -> tuple[Appended, ...]:
    """Several messages, all or none (RFC 3502), in one transaction, each with its modseq.

    The blobs are locked first and in one order, so that two such transactions cannot wait for each other.
    """
    with db.transaction():
        known = sorted({message.sha256 for message, _ in messages})
        db.execute(_LOCK_BLOBS, [known], prepare=True)
        return tuple(
            appended
            for message, placement in messages
            for appended in append_message(db, message, [placement], cause=cause)
        )


_LOCK_BLOBS = "SELECT id FROM mail_blob WHERE sha256 = ANY(%s) ORDER BY sha256 FOR NO KEY UPDATE"


def _append(
    db: psycopg.Connection[Any],
    message: NewMessage,
    placements: Sequence[Placement],
    cause: str,
    trace: Sequence[TraceEvent],
) -> tuple[Appended, ...]:
    is_large = len(message.content) > INLINE_MAXIMUM
    with db.transaction() if is_large else nullcontext():
        object_name = object_for(db, message.content, message.sha256)
        parameters = _parameters(message, object_name, placements, cause, trace)
        statement, names = _statement(len(placements))
        with psycopg.RawCursor(db) as cursor:
            cursor.execute(
                statement, [parameters[name] for name in names], prepare=True, binary=True
            )
            rows = cursor.fetchall()
        kept_object, over_quota, first_owner = rows[0][:3]
        if over_quota is not None:
            raise OverQuota(MailboxId(over_quota))
        if first_owner is None:
            raise NoSuchFolder
    drop_unused_object(object_name, kept_object)
    return tuple(
        Appended(MailboxId(owner), FolderId(folder), validity, Uid(uid), MessageId(id_), ModSeq(m))
        for _, _, owner, folder, validity, uid, id_, m in rows
    )


@lru_cache(maxsize=16)
def _statement(placements: int) -> tuple[str, tuple[str, ...]]:
    """The statement for up to a power of four of placements, and the names of its parameters $1, $2, ...

    LIMIT tells the planner how few there are: it takes a jsonb array for a hundred rows, and would read whole tables.
    psycopg would parse the %(name)s of so long a statement anew each time, hence the raw form.
    """
    limit = 1
    while limit < placements:
        limit *= 4
    names: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"${names.setdefault(match[1], len(names) + 1)}"

    text = _APPEND.format(limit=limit, seen=SEEN, deleted=DELETED)
    return re.sub(r"%\((\w+)\)s", number, text), tuple(names)


def _make_special_folders(db: psycopg.Connection[Any], placements: Sequence[Placement]) -> bool:
    """Make again what the owners deleted; whether anything was missing."""
    made = [
        create_special_folder(db, placement.owner, placement.special_use)
        for placement in placements
        if placement.folder is None
    ]
    return any(made)


def _parameters(
    message: NewMessage,
    object_name: str,
    placements: Sequence[Placement],
    cause: str,
    trace: Sequence[TraceEvent],
) -> dict[str, Any]:
    structure = message.structure
    size = len(message.content)
    messages: dict[tuple[MailboxId, bytes], int] = {}
    placement_rows = []
    for place, placement in enumerate(placements):
        number = messages.setdefault((placement.owner, placement.prefix), len(messages))
        flags, keywords = split_flags(placement.flags)
        date = placement.internal_date
        placement_rows.append(
            {
                "place": place,
                "owner": placement.owner,
                "folder": placement.folder,
                "use": placement.special_use,
                "message": number,
                "size": size + len(placement.prefix),
                "flags": flags,
                "keywords": _fitting(keywords),
                "date": date.isoformat() if date else None,
            }
        )
    message_rows = [
        {"message": number, "owner": owner, "prefix": prefix.hex()}
        for (owner, prefix), number in messages.items()
    ]
    return {
        "sha256": message.sha256,
        "size": size,
        "content": None if object_name else message.content,
        "object_name": object_name,
        "header_size": header_end(message.content),
        "placements": json.dumps(placement_rows),
        "messages": json.dumps(message_rows),
        "cause": cause,
        "trace": json.dumps([trace_row(event) for event in trace]),
        "sent_at": structure.sent_at,
        "sent_on": structure.sent_on,
        "message_id": structure.message_id,
        "reference_ids": list(structure.reference_ids),
        "base_subject": structure.base_subject,
        "sort_from": structure.sort_from,
        "sort_to": structure.sort_to,
        "sort_cc": structure.sort_cc,
        "envelope": structure.envelope,
        "body": structure.body,
        "body_structure": structure.body_structure,
        "parts": structure.parts,
        "subject": structure.subject,
        "sender": structure.sender,
        "recipients": structure.recipients,
        "copied": structure.copied,
        "header": structure.header,
        "text": structure.text,
    }


def _fitting(keywords: Sequence[str]) -> list[str]:
    return [name for name in with_synonyms(keywords) if len(name) <= KEYWORD_LENGTH_MAXIMUM]
