"""Which messages of a folder another folder holds too: the same message, delivered or copied there."""

from collections.abc import Sequence
from typing import Any

import psycopg

from accounts.mailstore.values import FolderId, MailboxId, Uid


def also_in(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[Uid],
    other: FolderId,
) -> set[Uid]:
    """Those of `uids` in the folder of whose messages the other has an entry."""
    rows = db.execute(
        """
        SELECT e.uid FROM mail_entry e
        WHERE e.owner_id = %s AND e.folder_id = %s AND e.uid = ANY(%s) AND EXISTS (
            SELECT FROM mail_entry o
            WHERE o.owner_id = e.owner_id AND o.message_id = e.message_id AND o.folder_id = %s)
        """,
        [owner, folder_id, list(uids), other],
        prepare=True,
    ).fetchall()
    return {Uid(row[0]) for row in rows}
