"""Subscriptions: names that a client shows, whether the folder exists or not (RFC 9051 §6.3.7, §6.3.8)."""

from typing import Any

import psycopg

from accounts.mailstore.folder_names import canonical_name, checked_name
from accounts.mailstore.values import MailboxId


def subscribe(db: psycopg.Connection[Any], owner: MailboxId, name: str) -> None:
    """Subscribe to a name. Raises FolderNameInvalid."""
    db.execute(
        "INSERT INTO mail_subscription (owner_id, name) VALUES (%s, %s) ON CONFLICT DO NOTHING",
        [owner, checked_name(name)],
    )


def unsubscribe(db: psycopg.Connection[Any], owner: MailboxId, name: str) -> None:
    """Forget the subscription, if there is one."""
    name = canonical_name(name).replace("\0", "")
    db.execute("DELETE FROM mail_subscription WHERE owner_id = %s AND name = %s", [owner, name])


def list_subscriptions(db: psycopg.Connection[Any], owner: MailboxId) -> list[str]:
    """Subscribed names, sorted."""
    rows = db.execute(
        """SELECT name FROM mail_subscription WHERE owner_id = %s ORDER BY name COLLATE "C" """,
        [owner],
        prepare=True,
    ).fetchall()
    return [name for (name,) in rows]
