"""Special uses of folders (RFC 6154): a use belongs to one folder of an owner, and a folder has one use.

Giving a use to another folder takes it from the one that had it (§3, §4).
"""

from typing import Any

import psycopg

from accounts.mailstore.locking import lock_mailbox
from accounts.mailstore.values import (
    INBOX,
    FolderId,
    MailboxId,
    NoSuchFolder,
    SpecialUseInvalid,
)

SPECIAL_USES = ("\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash")
"""\\All and \\Flagged would be virtual folders: there are none."""

_CANONICAL = {use.lower(): use for use in SPECIAL_USES}


def canonical_use(use: str) -> str:
    """A use that is given, in its usual case; "" is none. Raises SpecialUseInvalid."""
    if not use:
        return ""
    try:
        return _CANONICAL[use.lower()]
    except KeyError:
        raise SpecialUseInvalid(f"{use} is not supported") from None


def release_use(db: psycopg.Connection[Any], owner: MailboxId, use: str) -> None:
    """Take the use from the folder that has it; call it under the owner's lock."""
    db.execute(
        "UPDATE mail_folder SET special_use = '' WHERE owner_id = %s AND special_use = %s",
        [owner, use],
    )


def assign_use(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, use: str
) -> None:
    """Give a folder this use alone, or none for "". Raises SpecialUseInvalid, NoSuchFolder."""
    use = canonical_use(use)
    with db.transaction():
        lock_mailbox(db, owner)
        if use:
            release_use(db, owner, use)
        row = db.execute(
            "UPDATE mail_folder SET special_use = %s WHERE owner_id = %s AND id = %s RETURNING name",
            [use, owner, folder_id],
        ).fetchone()
        if row is None:
            raise NoSuchFolder
        if use and row[0] == INBOX:
            raise SpecialUseInvalid("INBOX has no special use")
