"""From a folder as a script names it to one that is there (RFC 5228 §4.1, RFC 5490 §3.2, RFC 8579 §4, RFC 9042 §4)."""

import re

from accounts.mailstore.folders import create_folder, list_folders, open_folder
from accounts.mailstore.values import (
    INBOX,
    FolderExists,
    FolderState,
    MailboxId,
    MailstoreError,
    NoSuchFolder,
)
from routing.decisions import Target
from routing.filtering.memories import Connection

_FOLDER_ID = re.compile(r"F([1-9][0-9]{0,17})")  # as IMAP's MAILBOXID has it (RFC 8474)


def number_of(mailbox_id: str) -> int | None:
    """The folder's number in a MAILBOXID."""
    match = _FOLDER_ID.fullmatch(mailbox_id)
    return int(match[1]) if match else None


def find_folder(
    db: Connection, owner: MailboxId, target: Target, *, may_create: bool = True
) -> FolderState | None:
    """The folder; one that is missing is made where the script says so. None: the inbox takes its place."""
    if target.mailbox_id or target.special_use:
        number = number_of(target.mailbox_id)
        folders = list_folders(db, owner)
        use = target.special_use.lower()
        for folder in folders:
            if folder.id == number:
                return folder
        for folder in folders:
            if use and folder.special_use.lower() == use:
                return folder
    name = target.folder or INBOX
    try:
        return open_folder(db, owner, name)
    except NoSuchFolder:
        pass
    if not target.create or not may_create:
        return None
    return _create(db, owner, name, target.special_use)


def _create(db: Connection, owner: MailboxId, name: str, special_use: str) -> FolderState | None:
    """None for a name that no folder may have, and where there are too many folders."""
    for use in dict.fromkeys((special_use, "")):  # a use that is not known here is left out
        try:
            return create_folder(db, owner, name, use)
        except FolderExists:
            return open_folder(db, owner, name)
        except MailstoreError:
            continue
    return None
