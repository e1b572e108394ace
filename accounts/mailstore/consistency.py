"""check_mailbox: the invariants of stored mail, stated as queries for what breaks them.

1. A folder's counts and size are those of its entries; its uid_next is above every UID, its highest_modseq at least
   every modseq, and its min_modseq at most that.
2. The newest change row that names a UID tells the truth: an entry stands where it says arrived or changed, none
   where it says expunged. An entry that changed above min_modseq is named by a row of its modseq.
3. A mailbox's usage is the sum of its folders.
4. Each message has its rendered row and its search text, and none is without a message; `size` is prefix and blob;
   one that no entry shows is noted for the sweep.
5. Each blob has the hash and the size that its row says, and its object is there.
6. No flag has a bit without a keyword.
7. Each message is in a conversation (`manage.py fillconversations` for mail from before there were any), and whatever
   names no other message is in the one of its own Message-ID.
8. What another reader has seen is an entry of a folder that was shared, and a change row tells that reader.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from accounts.mailstore.conversations import number_of
from accounts.mailstore.flagbits import DELETED, FIRST_KEYWORD_BIT, SEEN
from accounts.mailstore.objects import read_object
from accounts.mailstore.sequence_sets import numbers_of, parse_set
from accounts.mailstore.values import FolderId, MailboxId

EXPUNGED = 3

_FOLDERS = f"""
SELECT f.id, f.name, f.uid_next, f.highest_modseq, f.min_modseq, cardinality(f.keywords),
    ARRAY[f.message_count, f.unseen_count, f.deleted_count, f.size_bytes]
        = ARRAY[s.entries, s.unseen, s.deleted, s.size],
    s.last_uid, s.last_modseq, s.bits,
    format('%%s/%%s/%%s/%%s instead of %%s/%%s/%%s/%%s', f.message_count, f.unseen_count,
        f.deleted_count, f.size_bytes, s.entries, s.unseen, s.deleted, s.size)
FROM mail_folder f CROSS JOIN LATERAL (
    SELECT count(*) AS entries, count(*) FILTER (WHERE e.flags & {SEEN} = 0) AS unseen,
        count(*) FILTER (WHERE e.flags & {DELETED} <> 0) AS deleted,
        COALESCE(sum(m.size), 0)::bigint AS size, COALESCE(max(e.uid), 0) AS last_uid,
        COALESCE(max(e.modseq), 0) AS last_modseq, COALESCE(bit_or(e.flags), 0) AS bits
    FROM mail_entry e JOIN mail_message m ON m.owner_id = e.owner_id AND m.id = e.message_id
    WHERE e.owner_id = f.owner_id AND e.folder_id = f.id
) AS s
WHERE f.owner_id = %s ORDER BY f.id
"""

# Looked up one by one with LIMIT 1: as NOT EXISTS the planner, without statistics, may compare all with all.
_QUERIES = {
    "mailbox usage is {} bytes and {} messages, its folders hold {} and {}": """
        SELECT b.used_bytes, b.used_messages, s.size, s.entries
        FROM accounts_mailbox b CROSS JOIN LATERAL (
            SELECT COALESCE(sum(f.size_bytes), 0) AS size, COALESCE(sum(f.message_count), 0) AS entries
            FROM mail_folder f WHERE f.owner_id = b.id) AS s
        WHERE b.id = %(owner)s AND (b.used_bytes, b.used_messages) <> (s.size, s.entries)""",
    "entry {}/{} shows message {}, which does not exist": """
        SELECT e.folder_id, e.uid, e.message_id FROM mail_entry e
            LEFT JOIN mail_message m ON m.owner_id = e.owner_id AND m.id = e.message_id
        WHERE e.owner_id = %(owner)s AND m.id IS NULL""",
    "entry {}/{} has no folder": """
        SELECT e.folder_id, e.uid FROM mail_entry e WHERE e.owner_id = %(owner)s AND (
            SELECT true FROM mail_folder f WHERE f.owner_id = e.owner_id AND f.id = e.folder_id LIMIT 1) IS NULL""",
    "message {} has no rendered row": """
        SELECT m.id FROM mail_message m WHERE m.owner_id = %(owner)s AND (
            SELECT true FROM mail_rendered r WHERE r.owner_id = m.owner_id AND r.message_id = m.id LIMIT 1) IS NULL""",
    "message {} has no search text": """
        SELECT m.id FROM mail_message m WHERE m.owner_id = %(owner)s AND (
            SELECT true FROM mail_search_text t WHERE t.owner_id = m.owner_id AND t.message_id = m.id LIMIT 1) IS NULL""",
    "rendered row {} has no message": """
        SELECT r.message_id FROM mail_rendered r WHERE r.owner_id = %(owner)s AND (
            SELECT true FROM mail_message m WHERE m.owner_id = r.owner_id AND m.id = r.message_id LIMIT 1) IS NULL""",
    "search text {} has no message": """
        SELECT t.message_id FROM mail_search_text t WHERE t.owner_id = %(owner)s AND (
            SELECT true FROM mail_message m WHERE m.owner_id = t.owner_id AND m.id = t.message_id LIMIT 1) IS NULL""",
    "change row {}/{} has no folder": """
        SELECT c.folder_id, c.modseq FROM mail_change c WHERE c.owner_id = %(owner)s AND (
            SELECT true FROM mail_folder f WHERE f.owner_id = c.owner_id AND f.id = c.folder_id LIMIT 1) IS NULL""",
    "entry {}/{} was seen by mailbox {} at {}, which is not among its changes": """
        SELECT s.folder_id, s.uid, s.reader_id, s.modseq FROM mail_seen s
            LEFT JOIN mail_folder f ON f.owner_id = s.owner_id AND f.id = s.folder_id
        WHERE s.owner_id = %(owner)s AND (
            f.is_shared IS NOT TRUE OR s.modseq > f.highest_modseq OR s.reader_id = s.owner_id
            OR NOT EXISTS (SELECT FROM mail_entry e WHERE e.owner_id = s.owner_id
                AND e.folder_id = s.folder_id AND e.uid = s.uid)
            OR (s.modseq > f.min_modseq AND NOT EXISTS (SELECT FROM mail_change c
                WHERE c.owner_id = s.owner_id AND c.folder_id = s.folder_id AND c.modseq = s.modseq
                    AND (c.reader_id = s.reader_id OR c.reader_id IS NULL))))""",
    "folder {} has rights and was never shared": """
        SELECT DISTINCT f.id FROM mail_right r JOIN mail_folder f ON f.owner_id = r.owner_id AND f.id = r.folder_id
        WHERE r.owner_id = %(owner)s AND NOT f.is_shared""",
    "message {} has size {} instead of {}": """
        SELECT m.id, m.size, octet_length(m.prefix) + b.size
        FROM mail_message m JOIN mail_blob b ON b.id = m.blob_id
        WHERE m.owner_id = %(owner)s AND m.size <> octet_length(m.prefix) + b.size""",
    "message {} is in no folder, and the sweep does not know": """
        SELECT m.id FROM mail_message m WHERE m.owner_id = %(owner)s AND (
            SELECT true FROM mail_entry e
            WHERE e.owner_id = m.owner_id AND e.message_id = m.id LIMIT 1) IS NULL
        EXCEPT SELECT unnest(u.message_ids) FROM mail_unfiled u WHERE u.owner_id = %(owner)s""",
}


def check_mailbox(db: psycopg.Connection[Any], owner: MailboxId) -> list[str]:
    """One line a violation; empty when all is well.

    It reads one snapshot, so that it may run while mail comes in; call it outside of a transaction.
    """
    with db.transaction():
        db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        found = [*_check_folders(db, owner)]
        for text, query in _QUERIES.items():
            found.extend(text.format(*row) for row in db.execute(query, {"owner": owner}))
        found.extend(_check_conversations(db, owner))
        found.extend(_check_blobs(db, owner))
    return found


def _check_folders(db: psycopg.Connection[Any], owner: MailboxId) -> Iterator[str]:
    for row in db.execute(_FOLDERS, [owner]).fetchall():
        (
            id_,
            name,
            uid_next,
            highest,
            minimum,
            keywords,
            agrees,
            last_uid,
            last_modseq,
            bits,
            *text,
        ) = row
        where = f"folder {id_} ({name})"
        if not agrees:
            yield f"{where}: messages/unseen/deleted/size are {text[0]}"
        if last_uid >= uid_next:
            yield f"{where}: UID {last_uid} stands at or above uid_next {uid_next}"
        if last_modseq > highest:
            yield f"{where}: modseq {last_modseq} is above highest_modseq {highest}"
        if minimum > highest:
            yield f"{where}: min_modseq {minimum} is above highest_modseq {highest}"
        if bits < 0 or bits >> (FIRST_KEYWORD_BIT + keywords):
            yield f"{where}: flags {bits:b} have bits beyond its {keywords} keywords"
        for problem in _check_changes(db, owner, FolderId(id_), minimum, highest):
            yield f"{where}: {problem}"


def _check_changes(
    db: psycopg.Connection[Any], owner: MailboxId, folder: FolderId, minimum: int, highest: int
) -> Iterator[str]:
    entries = dict(
        db.execute(
            "SELECT uid, modseq FROM mail_entry WHERE owner_id = %s AND folder_id = %s",
            [owner, folder],
        ).fetchall()
    )
    newest: dict[int, tuple[int, int]] = {}
    for modseq, kind, uids in db.execute(
        "SELECT modseq, kind, uids FROM mail_change WHERE owner_id = %s AND folder_id = %s"
        " AND reader_id IS NULL ORDER BY modseq, kind",
        [owner, folder],
    ):
        if modseq > highest:
            yield f"change {modseq} is above highest_modseq {highest}"
        for uid in numbers_of(parse_set(uids)):
            newest[uid] = (modseq, kind)
    for uid, (modseq, kind) in newest.items():
        if kind == EXPUNGED:
            if uid in entries:
                yield f"UID {uid} was expunged at {modseq} and is there"
        elif entries.get(uid) != modseq:
            yield f"UID {uid} has modseq {entries.get(uid)}, its last change says {modseq}"
    for uid, modseq in entries.items():
        if modseq > minimum and uid not in newest:
            yield f"UID {uid} changed at {modseq}, and no change row says so"


def _check_conversations(db: psycopg.Connection[Any], owner: MailboxId) -> Iterator[str]:
    query = """
        SELECT id, message_id, thread_id FROM mail_message
        WHERE owner_id = %s AND (thread_id IS NULL OR message_id <> '' AND reference_ids = '{}')
    """
    with db.cursor(name="check_conversations", binary=True) as cursor:
        cursor.itersize = 1000
        for id_, message_id, conversation in cursor.execute(query, [owner]):
            if conversation is None:
                yield f"message {id_} is in no conversation"
            elif conversation != number_of(message_id):
                yield f"message {id_} is in conversation {conversation}, not that of its Message-ID"


def _check_blobs(db: psycopg.Connection[Any], owner: MailboxId) -> Iterator[str]:
    query = """
        SELECT DISTINCT ON (b.id) b.id, b.sha256, b.size, b.content, b.object_name
        FROM mail_message m JOIN mail_blob b ON b.id = m.blob_id WHERE m.owner_id = %s
    """
    with db.cursor(name="check_blobs", binary=True) as cursor:
        cursor.itersize = 50
        for id_, sha256, size, content, object_name in cursor.execute(query, [owner]):
            if content is None:
                try:
                    content = read_object(object_name)
                except FileNotFoundError:
                    yield f"blob {id_}: its object {object_name} is missing"
                    continue
            if len(content) != size or hashlib.sha256(content).digest() != sha256:
                yield f"blob {id_}: its content is not what its hash says"


_SHARED_QUERIES = {
    "mail of mailbox {}, which does not exist: {}": """
        SELECT o.owner_id, o.what FROM (
            SELECT DISTINCT owner_id, 'messages' AS what FROM mail_message
            UNION ALL SELECT DISTINCT owner_id, 'entries' FROM mail_entry
            UNION ALL SELECT DISTINCT owner_id, 'change rows' FROM mail_change
            UNION ALL SELECT DISTINCT owner_id, 'rows of what was seen' FROM mail_seen
            UNION ALL SELECT DISTINCT owner_id, 'rendered rows' FROM mail_rendered
            UNION ALL SELECT DISTINCT owner_id, 'search texts' FROM mail_search_text
        ) AS o WHERE NOT EXISTS (SELECT FROM accounts_mailbox b WHERE b.id = o.owner_id)""",
    "object {} belongs to a blob and is marked as removed": """
        SELECT r.object_name FROM mail_removed_object r JOIN mail_blob b USING (object_name)""",
}


def check_shared(db: psycopg.Connection[Any]) -> list[str]:
    """What belongs to no single mailbox: rows of mailboxes that are gone, and the objects of large blobs."""
    found: list[str] = []
    for text, query in _SHARED_QUERIES.items():
        found.extend(text.format(*row) for row in db.execute(query))
    return found


def mailboxes_named(db: psycopg.Connection[Any], names: Sequence[str]) -> dict[MailboxId, str]:
    """The mailboxes with these names, or all, by name."""
    rows = db.execute(
        "SELECT id, name FROM accounts_mailbox WHERE name = ANY(%(names)s) OR %(names)s = '{}'"
        " ORDER BY name, id",
        {"names": list(names)},
    ).fetchall()
    return {MailboxId(id_): name for id_, name in rows}
