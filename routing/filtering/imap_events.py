"""Which mailboxes have IMAP events that a script is to follow, and how far it has come (RFC 6785 §2.3.1)."""

from dataclasses import dataclass

from accounts.mailstore.values import FolderId, MailboxId
from routing.filtering.memories import Connection

ENTRY = "/shared/imapsieve/script"


@dataclass(frozen=True, slots=True)
class Cursor:
    """`done` messages of the event with this id, and all events before it, were seen to."""

    mailbox: MailboxId
    event: int
    done: int


# A mailbox that was made after the server's entry begins at its beginning; one that no entry is about any more ends.
_BEGIN = f"""
WITH for_all AS (
    SELECT FROM mail_annotation WHERE owner_id IS NULL AND name = '{ENTRY}' AND folder_id IS NULL
), begun AS (
    INSERT INTO routing_imap_cursor (mailbox_id, event_id)
    SELECT m.id, 0 FROM accounts_mailbox m
    WHERE EXISTS (SELECT FROM for_all)
        AND NOT EXISTS (SELECT FROM routing_imap_cursor c WHERE c.mailbox_id = m.id)
    ON CONFLICT DO NOTHING
)
DELETE FROM routing_imap_cursor c
WHERE NOT EXISTS (SELECT FROM for_all) AND NOT EXISTS (
    SELECT FROM mail_annotation a WHERE a.owner_id = c.mailbox_id AND a.name = '{ENTRY}')
"""
_DUE = """
SELECT c.mailbox_id, c.event_id, c.done FROM routing_imap_cursor c
WHERE EXISTS (SELECT FROM mail_event e WHERE e.owner_id = c.mailbox_id AND e.id >= c.event_id)
ORDER BY c.mailbox_id LIMIT %s
"""
# The folder's own entry hides the server's, an empty one too: then none is run.
_SCRIPT_NAME = f"""
SELECT value FROM mail_annotation
WHERE name = '{ENTRY}' AND reader_id IS NULL
    AND ((owner_id = %s AND folder_id = %s) OR (owner_id IS NULL AND folder_id IS NULL))
ORDER BY folder_id NULLS LAST LIMIT 1
"""


def due(db: Connection, limit: int) -> list[Cursor]:
    """Mailboxes whose events wait."""
    db.execute(_BEGIN.encode())
    rows = db.execute(_DUE, (limit,)).fetchall()
    return [Cursor(MailboxId(mailbox), event, done) for mailbox, event, done in rows]


def script_name(db: Connection, mailbox: MailboxId, folder: FolderId) -> str:
    """The script that follows what happens in a folder, "" for none."""
    row = db.execute(_SCRIPT_NAME.encode(), (mailbox, folder), prepare=True).fetchone()
    return bytes(row[0]).decode("utf-8", "replace") if row else ""


def move_on(db: Connection, cursor: Cursor, event: int, done: int) -> bool:
    """Whether nobody else has meanwhile; within the transaction that does what the script wants."""
    moved = db.execute(
        "UPDATE routing_imap_cursor SET event_id = %s, done = %s"
        " WHERE mailbox_id = %s AND event_id = %s AND done = %s",
        (event, done, cursor.mailbox, cursor.event, cursor.done),
    )
    return moved.rowcount == 1
