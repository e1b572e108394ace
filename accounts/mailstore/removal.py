"""Deleting a mailbox with all its mail."""

from typing import Any

import psycopg

from accounts.mailstore.locking import lock_mailbox
from accounts.mailstore.values import MailboxId

_TABLES = (
    "mail_change",
    "mail_seen",
    "mail_rendered",
    "mail_search_text",
    "mail_message",
    "mail_folder",
    "mail_subscription",
    "mail_event",
    "mail_unfiled",
)


def delete_mailbox(db: psycopg.Connection[Any], owner: MailboxId) -> None:
    """Delete the mailbox row and everything it owns, in one transaction or the caller's.

    Blobs stay until the sweep finds that nothing refers to them. Raises NoSuchFolder when the mailbox is gone.
    """
    with db.transaction():
        lock_mailbox(db, owner)
        db.execute("SELECT FROM mail_folder WHERE owner_id = %s ORDER BY id FOR UPDATE", [owner])
        db.execute("DELETE FROM mail_entry WHERE owner_id = %s", [owner])
        # As the sweep does: a message before what hangs on it.
        db.execute("SELECT FROM mail_message WHERE owner_id = %s ORDER BY id FOR UPDATE", [owner])
        for table in _TABLES:
            db.execute(f"DELETE FROM {table} WHERE owner_id = %s", [owner])
        db.execute("DELETE FROM accounts_mailbox WHERE id = %s", [owner])
