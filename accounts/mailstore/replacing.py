"""REPLACE: a message goes as another comes, in one transaction (RFC 8508)."""

from typing import Any

import psycopg

from accounts.mailstore.append import append_message
from accounts.mailstore.blobs import keep_blob
from accounts.mailstore.expunging import Expunged, remove_entries
from accounts.mailstore.locking import take_turn
from accounts.mailstore.values import Appended, FolderId, MailboxId, NewMessage, Placement, Uid


def replace_message(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uid: Uid,
    message: NewMessage,
    placement: Placement,
    *,
    cause: str,
) -> tuple[Appended, Expunged] | None:
    """Remove the entry `uid` and store `message`; None, and nothing is stored, when there is no such entry.

    The old message has gone when the quota is asked (RFC 8508 §3.4). The blob is locked first, then both owners' turns,
    as everywhere. Raises OverQuota, NoSuchFolder.
    """
    with db.transaction():
        keep_blob(db, message.content, message.sha256)
        for one in sorted({owner, placement.owner}):
            take_turn(db, one)
        gone = remove_entries(db, owner, folder_id, [uid], cause=cause)
        if not gone.uids:
            return None
        [appended] = append_message(db, message, [placement], cause=cause)
        return appended, gone
