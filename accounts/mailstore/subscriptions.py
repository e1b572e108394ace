"""Subscriptions: names that a client shows, whether the folder exists or not (RFC 9051 §6.3.7, §6.3.8)."""

from typing import Any

import psycopg

from accounts.mailstore.folder_names import canonical_name, checked_name
from accounts.mailstore.values import MailboxId, TooManyFolders

SUBSCRIPTIONS_MAXIMUM = 50_000
"""Of one owner."""


def subscribe(db: psycopg.Connection[Any], owner: MailboxId, name: str) -> None:
    """Subscribe to a name. Raises FolderNameInvalid, TooManyFolders."""
    row = db.execute(
        """
        WITH had AS (SELECT count(*) FROM mail_subscription WHERE owner_id = %(owner)s),
        made AS (
            INSERT INTO mail_subscription (owner_id, name)
            SELECT %(owner)s, %(name)s FROM had WHERE had.count < %(maximum)s
            ON CONFLICT DO NOTHING)
        SELECT count >= %(maximum)s FROM had
        """,
        {"owner": owner, "name": checked_name(name), "maximum": SUBSCRIPTIONS_MAXIMUM},
    ).fetchone()
    if row is not None and row[0]:
        raise TooManyFolders


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
