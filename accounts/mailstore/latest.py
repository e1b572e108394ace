"""The messages that came to a folder last."""

from typing import Any

import psycopg

from accounts.mailstore.values import FolderId, MailboxId, Uid


def latest_uids(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, count: int
) -> list[Uid]:
    """Those with the highest UIDs, in order of UID."""
    rows = db.execute(
        "SELECT uid FROM mail_entry WHERE owner_id = %s AND folder_id = %s"
        " ORDER BY uid DESC LIMIT %s",
        [owner, folder_id, count],
    ).fetchall()
    return [Uid(uid) for (uid,) in reversed(rows)]
