"""Conversations: which messages of an owner belong together (THREADID, RFC 8474 §5.2).

A conversation's number is a hash of its first message's Message-ID: of the first id in References, or of the only one
in In-Reply-To, or of the message's own. So mail that names the whole line needs no look-up, in whatever order it comes.
A reply that names a reply joins the conversation of that one (the nearest first), for clients that send In-Reply-To
alone. A number never changes: two conversations that a later message ties together stay two.
"""

import hashlib
from typing import Any

import psycopg

from accounts.mailstore.objects import read_object
from accounts.mailstore.structure import Structure, render
from accounts.mailstore.values import MailboxId

LOOK_UPS_MAXIMUM = 10
"""So many of the last references are looked up."""
BATCH = 500
_BITS = 59  # as an object id: 18 digits


def conversation_of(structure: Structure, sha256: bytes) -> int:
    """The number, unless a reply that the message names has another."""
    first = structure.reference_ids[0] if structure.reference_ids else structure.message_id
    return number_of(first or sha256.hex())


def number_of(message_id: str) -> int:
    """The number of the conversation that this Message-ID began."""
    digest = hashlib.blake2b(message_id.encode(), digest_size=8).digest()
    return (int.from_bytes(digest) >> (64 - _BITS)) + 1


THREAD_OF_A_REPLY = """COALESCE((
        SELECT r.thread_id FROM mail_message r
        WHERE r.owner_id = {owner} AND r.message_id = ANY({ids}) AND r.reference_ids <> '{{}}'
            AND r.thread_id IS NOT NULL
        ORDER BY array_position({ids}, r.message_id) DESC, r.id LIMIT 1), {number})"""
"""SQL, with placeholders for the owner, the last references and the number."""

_WITHOUT = """
SELECT m.id, b.sha256, substring(b.content FROM 1 FOR m.header_size::int), b.object_name, m.header_size
FROM mail_message m JOIN mail_blob b ON b.id = m.blob_id
WHERE m.owner_id = %s AND m.thread_id IS NULL ORDER BY m.id LIMIT %s
"""
_FILL = f"""
UPDATE mail_message m SET is_reply = %(is_reply)s, display_from = %(display_from)s,
    display_to = %(display_to)s, thread_id = {
    THREAD_OF_A_REPLY.format(owner="m.owner_id", ids="%(ids)s::text[]", number="%(number)s::bigint")
}
WHERE m.owner_id = %(owner)s AND m.id = %(id)s AND m.thread_id IS NULL
"""


def fill_conversations(db: psycopg.Connection[Any], owner: MailboxId) -> int:
    """Give a conversation to messages from before there were any, in order of arrival; how many of one batch.

    Call it until it returns 0. It reads headers only.
    """
    rows = db.execute(_WITHOUT, [owner, BATCH], prepare=True, binary=True).fetchall()
    with db.transaction(), db.cursor() as cursor:
        cursor.executemany(
            _FILL,
            [
                {"owner": owner, "id": id_, **_columns(header, object_name, size, sha256)}
                for id_, sha256, header, object_name, size in rows
            ],
        )
    return len(rows)


def _columns(header: bytes | None, object_name: str, size: int, sha256: bytes) -> dict[str, Any]:
    structure = render(read_object(object_name, 0, size) if header is None else header)
    return {
        "number": conversation_of(structure, sha256),
        "ids": list(structure.reference_ids[-LOOK_UPS_MAXIMUM:]),
        "is_reply": structure.is_reply,
        "display_from": structure.display_from,
        "display_to": structure.display_to,
    }
