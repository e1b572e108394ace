"""The SQL of append_message: one data-modifying CTE, since round trips and separate plans are what a delivery costs.

Its parts take locks in the store's one order: the blob, the mailboxes by id, the folders by id. Each part names the
part before it in a condition, which makes PostgreSQL finish that one first. When an owner is over quota or a folder
is missing, `grown` is empty and nothing after it is written but the blob, which the sweep takes away. A fingerprint that
is known already breaks a unique constraint, and with it the whole statement.

There are two forms. A message for one placement is the common case, and costs a third less without what several
need: 0.8 instead of 1.2 ms of the server's time.
"""

import re
from functools import lru_cache
from typing import Any

from accounts.mailstore.conversations import THREAD_OF_A_REPLY
from accounts.mailstore.flagbits import DELETED, SEEN
from accounts.mailstore.locking import TURN

_BLOB = """
WITH blob AS (
    INSERT INTO mail_blob (sha256, size, content, object_name)
    VALUES (%(sha256)s, %(size)s, %(content)s, %(object_name)s)
    ON CONFLICT (sha256) DO UPDATE SET used_at = now()
    RETURNING id, object_name
)"""

_MESSAGE_COLUMNS = """owner_id, blob_id, prefix, size, header_size, sent_at, sent_on,
        message_id, reference_ids, base_subject, sort_from, sort_to, sort_cc,
        is_reply, display_from, display_to, thread_id"""

_MESSAGE_VALUES = """%(header_size)s,
        COALESCE(%(sent_at)s, {date}, now()),
        COALESCE(%(sent_on)s, ({date} AT TIME ZONE 'UTC')::date, now()::date),
        %(message_id)s, %(reference_ids)s, %(base_subject)s, %(sort_from)s, %(sort_to)s, %(sort_cc)s,
        %(is_reply)s, %(display_from)s, %(display_to)s, {thread}"""

_DERIVED = """, rendered AS (
    INSERT INTO mail_rendered (owner_id, message_id, envelope, body, body_structure, parts, preview)
    SELECT owner_id, id, %(envelope)s, %(body)s, %(body_structure)s, %(parts)s, %(preview)s
    FROM message
), searchable AS (
    INSERT INTO mail_search_text
        (owner_id, message_id, subject, sender, recipients, copied, header, body)
    SELECT owner_id, id, %(subject)s, %(sender)s, %(recipients)s, %(copied)s, %(header)s, %(text)s
    FROM message
)"""

# The columns of one event, which is the common case, are parameters: reading them from JSON costs a tenth of a delivery.
_TRACED_ONE = """, traced AS (
    INSERT INTO trace_event (trace_id, step, result, reason, sender, recipient, queue_id, detail)
    SELECT %(trace_trace_id)s, %(trace_step)s, %(trace_result)s, %(trace_reason)s, %(trace_sender)s,
        %(trace_recipient)s, %(trace_queue_id)s::bigint, %(trace_detail)s::jsonb
    WHERE EXISTS (SELECT FROM grown)
)"""

_TRACED_MANY = """, traced AS (
    INSERT INTO trace_event (trace_id, step, result, reason, sender, recipient, queue_id, detail)
    SELECT t.* FROM jsonb_to_recordset(%(trace)s) AS t (trace_id text, step text, result text,
        reason text, sender text, recipient text, queue_id bigint, detail jsonb)
    WHERE EXISTS (SELECT FROM grown)
)"""

_ACCEPTED = """, accepted AS (
    INSERT INTO mail_accepted (fingerprint, trace_id)
    SELECT %(fingerprint)s, %(accepted_as)s WHERE EXISTS (SELECT FROM grown)
)"""

_FOR_ONE = """, box AS MATERIALIZED (
    SELECT b.id, b.used_bytes + %(full_size)s > b.quota_bytes
        OR b.used_messages >= b.quota_messages AS is_over
    FROM accounts_mailbox b
    WHERE b.id = %(owner)s AND (
        SELECT pg_advisory_xact_lock({turn} + %(owner)s) IS NOT NULL FROM blob)
    FOR NO KEY UPDATE
), grown AS (
    UPDATE mail_folder f SET
        uid_next = f.uid_next + 1,
        highest_modseq = f.highest_modseq + 1,
        message_count = f.message_count + 1,
        unseen_count = f.unseen_count + %(unseen)s,
        deleted_count = f.deleted_count + %(deleted)s,
        size_bytes = f.size_bytes + %(full_size)s{set_keywords}
    WHERE f.owner_id = %(owner)s AND {folder} AND (SELECT is_over IS NOT TRUE FROM box)
    RETURNING f.owner_id, f.id, f.uid_validity, f.uid_next - 1 AS uid,
        f.highest_modseq AS modseq, f.keywords
), charged AS (
    UPDATE accounts_mailbox SET
        used_bytes = used_bytes + %(full_size)s, used_messages = used_messages + 1
    WHERE id = %(owner)s AND EXISTS (SELECT FROM grown)
), message AS (
    INSERT INTO mail_message ({message_columns})
    SELECT owner_id, (SELECT id FROM blob), %(prefix)s, %(full_size)s, {message_values}
    FROM grown RETURNING owner_id, id
), entry AS (
    INSERT INTO mail_entry
        (owner_id, folder_id, uid, message_id, internal_date, save_date, flags, modseq)
    SELECT g.owner_id, g.id, g.uid, m.id, COALESCE(%(date)s, now()), now(), {flags}, g.modseq
    FROM grown g, message m
), change AS (
    INSERT INTO mail_change (owner_id, folder_id, modseq, kind, uids)
    SELECT owner_id, id, modseq, 1, uid::text FROM grown
), event AS (
    INSERT INTO mail_event (owner_id, kind, cause, folder_id, message_ids)
    SELECT g.owner_id, 'arrival', %(cause)s, g.id, ARRAY[m.id] FROM grown g, message m
)"""

_RESULT_FOR_ONE = """
SELECT (SELECT object_name FROM blob), (SELECT id FROM box WHERE is_over),
    g.owner_id, g.id, g.uid_validity, g.uid, m.id, g.modseq
FROM (VALUES (1)) AS always LEFT JOIN (grown g CROSS JOIN message m) ON true
"""

_FOLDER_FOR_ONE = {
    "id": "f.id = %(folder)s",
    "name": "f.name = %(name)s",
    "inbox": "f.name = 'INBOX'",
    "special_use": "f.special_use = %(use)s AND f.special_use <> ''",
}

_FOR_MANY = """, placement AS MATERIALIZED (
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
), turns AS MATERIALIZED (
    SELECT pg_advisory_xact_lock({turn} + o.owner)
    FROM (SELECT owner FROM charge WHERE (SELECT id FROM blob) IS NOT NULL ORDER BY owner) AS o
), box AS MATERIALIZED (
    SELECT b.id, b.used_bytes + c.size > b.quota_bytes
        OR b.used_messages + c.entries > b.quota_messages AS is_over
    FROM accounts_mailbox b JOIN charge c ON c.owner = b.id
    WHERE (SELECT count(*) FROM turns) > 0
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
    INSERT INTO mail_message (id, {message_columns})
    SELECT m.id, m.owner_id, (SELECT id FROM blob), decode(m.prefix, 'hex'),
        length(m.prefix) / 2 + %(size)s, {message_values}
    FROM message m
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
)"""

_RESULT_FOR_MANY = """
SELECT (SELECT object_name FROM blob), (SELECT min(id) FROM box WHERE is_over),
    f.owner_id, f.folder_id, f.uid_validity, f.uid, f.message_id, f.modseq
FROM (VALUES (1)) AS always LEFT JOIN filed f ON true ORDER BY f.place
"""


@lru_cache(maxsize=64)
def statement_for_one(
    folder: str, *, has_keywords: bool, events: int, is_once: bool, is_reply: bool
) -> tuple[bytes, tuple[str, ...]]:
    """The statement for one placement, whose folder is told by "id", by "name", as the "inbox", or by its "special_use".

    `events` of the trace: none, one, or 2 for several.
    """
    text = _FOR_ONE + _common(events, is_once) + _RESULT_FOR_ONE
    return _numbered(
        _BLOB + text,
        folder=_FOLDER_FOR_ONE[folder],
        set_keywords=",\n        keywords = mail_add_keywords(f.keywords, %(keywords)s)"
        if has_keywords
        else "",
        flags="%(flags)s | mail_keyword_bits(g.keywords, %(keywords)s)"
        if has_keywords
        else "%(flags)s",
        thread=_thread("%(owner)s", is_reply),
        date="%(date)s::timestamptz",  # for what has no Date of its own (RFC 5256 §2.2)
    )


@lru_cache(maxsize=32)
def statement_for_many(
    placements: int, *, events: int, is_once: bool, is_reply: bool
) -> tuple[bytes, tuple[str, ...]]:
    """The statement for up to a power of four of placements.

    LIMIT tells the planner how few there are: it takes a jsonb array for a hundred rows, and would read whole tables.
    """
    limit = 1
    while limit < placements:
        limit *= 4
    text = _FOR_MANY + _common(events, is_once) + _RESULT_FOR_MANY
    return _numbered(
        _BLOB + text,
        limit=limit,
        seen=SEEN,
        deleted=DELETED,
        thread=_thread("m.owner_id", is_reply),
        date="NULL::timestamptz",  # only deliveries go to many, and they come now
    )


def _thread(owner: str, is_reply: bool) -> str:
    """The conversation; only for a message that names others they are looked at."""
    if not is_reply:
        return "%(conversation)s"
    return THREAD_OF_A_REPLY.format(owner=owner, ids="%(recent_ids)s", number="%(conversation)s")


def _common(events: int, is_once: bool) -> str:
    traced = ("", _TRACED_ONE, _TRACED_MANY)[events]
    return _DERIVED + traced + (_ACCEPTED if is_once else "")


def _numbered(template: str, **parts: Any) -> tuple[bytes, tuple[str, ...]]:
    """The text with $1, $2, ... for `prepared.rows_of`, and the names of the parameters in that order.

    psycopg would parse the %(name)s of so long a statement anew each time.
    """
    values = _MESSAGE_VALUES.format(thread=parts.pop("thread"), date=parts.pop("date"))
    parts |= {"turn": TURN, "message_columns": _MESSAGE_COLUMNS, "message_values": values}
    names: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"${names.setdefault(match[1], len(names) + 1)}"

    text = re.sub(r"%\((\w+)\)s", number, template.format(**parts))
    return text.encode(), tuple(names)
