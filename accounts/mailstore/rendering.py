"""Deriving again what was derived from the blobs: after a fix of `structure`, every message can profit from it."""

from typing import Any

import psycopg

from accounts.mailstore.blobs import read_blob
from accounts.mailstore.headers import header_end
from accounts.mailstore.structure import Structure, render
from accounts.mailstore.values import BlobId, MailboxId, MessageId

_WRITE = """
WITH message AS (
    UPDATE mail_message SET header_size = %(header_size)s,
        sent_at = COALESCE(%(sent_at)s, sent_at), sent_on = COALESCE(%(sent_on)s, sent_on),
        message_id = %(message_id)s, reference_ids = %(reference_ids)s,
        base_subject = %(base_subject)s, is_reply = %(is_reply)s,
        display_from = %(display_from)s, display_to = %(display_to)s, sort_from = %(sort_from)s, sort_to = %(sort_to)s,
        sort_cc = %(sort_cc)s
    WHERE owner_id = %(owner)s AND id = %(id)s
    RETURNING owner_id, id
), rendered AS (
    INSERT INTO mail_rendered (owner_id, message_id, envelope, body, body_structure, parts, preview)
    SELECT owner_id, id, %(envelope)s, %(body)s, %(body_structure)s, %(parts)s, %(preview)s FROM message
    ON CONFLICT (owner_id, message_id) DO UPDATE SET envelope = EXCLUDED.envelope,
        body = EXCLUDED.body, body_structure = EXCLUDED.body_structure, parts = EXCLUDED.parts,
        preview = EXCLUDED.preview
)
INSERT INTO mail_search_text
    (owner_id, message_id, subject, sender, recipients, copied, header, body)
SELECT owner_id, id, %(subject)s, %(sender)s, %(recipients)s, %(copied)s, %(header)s, %(text)s
FROM message
ON CONFLICT (owner_id, message_id) DO UPDATE SET subject = EXCLUDED.subject,
    sender = EXCLUDED.sender, recipients = EXCLUDED.recipients, copied = EXCLUDED.copied,
    header = EXCLUDED.header, body = EXCLUDED.body
"""


def messages_of(db: psycopg.Connection[Any], owner: MailboxId) -> list[tuple[MessageId, BlobId]]:
    """Every message of a mailbox with its blob."""
    rows = db.execute(
        "SELECT id, blob_id FROM mail_message WHERE owner_id = %s ORDER BY id", [owner]
    ).fetchall()
    return [(MessageId(id_), BlobId(blob)) for id_, blob in rows]


def render_again(
    db: psycopg.Connection[Any], owner: MailboxId, message: MessageId, blob: BlobId
) -> None:
    """Derive one message's rows from its blob. Clients that keep an old ENVELOPE are not told: it is a fix."""
    content = read_blob(db, blob)
    structure = render(content)
    db.execute(
        _WRITE,
        {
            "owner": owner,
            "id": message,
            "header_size": header_end(content),
            **derived_columns(structure),
        },
        prepare=True,
    )


def derived_columns(structure: Structure) -> dict[str, Any]:
    """A structure as parameters of the statements that write it."""
    return {
        "sent_at": structure.sent_at,
        "sent_on": structure.sent_on,
        "message_id": structure.message_id,
        "reference_ids": list(structure.reference_ids),
        "base_subject": structure.base_subject,
        "is_reply": structure.is_reply,
        "display_from": structure.display_from,
        "display_to": structure.display_to,
        "sort_from": structure.sort_from,
        "sort_to": structure.sort_to,
        "sort_cc": structure.sort_cc,
        "envelope": structure.envelope,
        "body": structure.body,
        "body_structure": structure.body_structure,
        "parts": structure.parts,
        "preview": structure.preview,
        "subject": structure.subject,
        "sender": structure.sender,
        "recipients": structure.recipients,
        "copied": structure.copied,
        "header": structure.header,
        "text": structure.text,
    }
