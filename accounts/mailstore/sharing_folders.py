"""A folder by the name that a reader gives it, as that reader sees it."""

from dataclasses import replace
from typing import Any

import psycopg

from accounts.mailstore.folders import open_folder
from accounts.mailstore.sharing import Reach, reach
from accounts.mailstore.values import FolderState, MailboxId


def open_as(
    db: psycopg.Connection[Any], reader: MailboxId, name: str, needed: str
) -> tuple[Reach, FolderState]:
    """`reach` and the folder, as the reader sees it. Raises NoSuchFolder, NoPermission."""
    target = reach(db, reader, name, needed)
    state = open_folder(db, target.owner, target.name)
    if target.is_own:
        return target, state
    row = db.execute(
        "SELECT count(*) FROM mail_seen WHERE reader_id = %s AND owner_id = %s AND folder_id = %s"
        " AND is_seen",
        [reader, state.owner, state.id],
        prepare=True,
    ).fetchone()
    seen = row[0] if row is not None else 0
    return target, replace(state, unseen_count=max(0, state.message_count - seen))
