"""Folders: names, creation, deletion, renaming (RFC 9051 §6.3.4 to §6.3.6).

Folders above a new one are made real: Outlook loses mail below names that cannot be selected. What changes the
tree of an owner locks the owner's mailbox row first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg.errors import UniqueViolation

from accounts.mailstore.expunging import empty_folder
from accounts.mailstore.folder_names import (
    canonical_name,
    checked_name,
    fits,
    parents,
    split_shared,
    usual_special_use,
)
from accounts.mailstore.locking import STATE_COLUMNS, folder_state, lock_mailbox
from accounts.mailstore.moving import move_messages
from accounts.mailstore.prepared import Prepared, Row
from accounts.mailstore.sharing_rights import inherit_rights
from accounts.mailstore.special_uses import canonical_use, release_use
from accounts.mailstore.values import (
    HIERARCHY_SEPARATOR,
    INBOX,
    FolderExists,
    FolderHasChildren,
    FolderId,
    FolderNameInvalid,
    FolderNotRemovable,
    FolderState,
    MailboxId,
    NoSuchFolder,
    TooManyFolders,
    Uid,
)

DEFAULT_FOLDERS = {
    "": INBOX,
    "\\Drafts": "Drafts",
    "\\Sent": "Sent",
    "\\Junk": "Spam",
    "\\Trash": "Trash",
    "\\Archive": "Archive",
}


FOLDERS_MAXIMUM = 50_000
"""Of one owner."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """The folders that have another name now; for INBOX the new folder that got its messages, and INBOX."""

    folder_ids: tuple[FolderId, ...]


OPEN = Prepared(
    f"SELECT {STATE_COLUMNS} FROM mail_folder WHERE owner_id = %b AND name = %b", int, str
)
LIST = Prepared(
    f"SELECT {STATE_COLUMNS} FROM mail_folder WHERE owner_id = %b"
    """ ORDER BY name <> 'INBOX', name COLLATE "C" """,
    int,
)


def create_default_folders(db: psycopg.Connection[Any], mailbox: MailboxId) -> None:
    """INBOX and the five with a special use (RFC 6154), all subscribed. Those that exist stay as they are."""
    names, uses = list(DEFAULT_FOLDERS.values()), list(DEFAULT_FOLDERS)
    db.execute(
        """
        WITH wanted AS (SELECT * FROM unnest(%s::text[], %s::text[]) AS w (name, use)),
        made AS (
            INSERT INTO mail_folder (owner_id, name, special_use)
            SELECT %s, name, use FROM wanted ON CONFLICT DO NOTHING)
        INSERT INTO mail_subscription (owner_id, name)
        SELECT %s, name FROM wanted ON CONFLICT DO NOTHING
        """,
        [names, uses, mailbox, mailbox],
    )


def create_special_folder(db: psycopg.Connection[Any], owner: MailboxId, special_use: str) -> bool:
    """Make the folder of a special use ("" is INBOX) under its default name if the owner has none; whether it was."""
    name = DEFAULT_FOLDERS.get(special_use)
    if name is None:
        return False
    with db.transaction():
        lock_mailbox(db, owner)
        made = db.execute(
            """
            INSERT INTO mail_folder (owner_id, name, special_use)
            SELECT %(owner)s, %(name)s, %(use)s
            WHERE %(use)s = '' OR NOT EXISTS (
                SELECT FROM mail_folder WHERE owner_id = %(owner)s AND special_use = %(use)s)
            ON CONFLICT (owner_id, name) DO UPDATE SET special_use = EXCLUDED.special_use
                WHERE mail_folder.special_use = '' AND EXCLUDED.special_use <> ''
            """,
            {"owner": owner, "name": name, "use": special_use},
        )
        return made.rowcount > 0


def list_folders(db: psycopg.Connection[Any], owner: MailboxId) -> list[FolderState]:
    """All folders, INBOX first, then by name."""
    return [folder_state(row) for row in LIST.rows(db, owner)]


def open_folder(db: psycopg.Connection[Any], owner: MailboxId, name: str) -> FolderState:
    """The folder of that name (Unicode; INBOX in any case). Raises NoSuchFolder."""
    name = canonical_name(name)
    if "\0" in name:
        raise NoSuchFolder
    return opened(OPEN.rows(db, owner, name))


def opened(rows: Sequence[Row]) -> FolderState:
    """The folder that `OPEN` found by its owner and its canonical name. Raises NoSuchFolder."""
    if not rows:
        raise NoSuchFolder
    return folder_state(rows[0])


def create_folder(
    db: psycopg.Connection[Any], owner: MailboxId, name: str, special_use: str = ""
) -> FolderState:
    """Make a folder and those above it that are missing.

    A name that clients use for a special folder (`Sent Items`) gets that use while no other folder has it; one that
    is asked for is taken from the folder that has it (RFC 6154 §3).
    Raises FolderExists, FolderNameInvalid, SpecialUseInvalid, TooManyFolders.
    """
    name = checked_name(name)
    _refuse_others(name)
    special_use = canonical_use(special_use)
    with db.transaction():
        lock_mailbox(db, owner)
        _check_count(db, owner)
        made = _make_parents(db, owner, name)
        if special_use:
            release_use(db, owner, special_use)
        else:
            special_use = _free_special_use(db, owner, usual_special_use(name))
        row = db.execute(
            "INSERT INTO mail_folder (owner_id, name, special_use) VALUES (%s, %s, %s)"
            f" ON CONFLICT DO NOTHING RETURNING {STATE_COLUMNS}",
            [owner, name, special_use],
        ).fetchone()
        if row is None:
            raise FolderExists(name)
        folder = folder_state(row)
        is_shared = inherit_rights(db, owner, name, [*made, folder.id])
        return replace(folder, is_shared=is_shared)


def delete_folder(
    db: psycopg.Connection[Any], owner: MailboxId, name: str, *, cause: str = "imap"
) -> FolderId:
    """Delete a folder and its entries; folders below it stay (RFC 9051 §6.3.5).

    The subscription stays too. Raises NoSuchFolder, FolderNotRemovable, FolderHasChildren.
    """
    try:
        folder = open_folder(db, owner, name)
    except NoSuchFolder:
        if _has_children(db, owner, canonical_name(name)):
            raise FolderHasChildren from None
        raise
    if folder.name == INBOX:
        raise FolderNotRemovable("INBOX cannot be deleted")
    empty_folder(db, owner, folder.id, cause=cause)
    with db.transaction():
        lock_mailbox(db, owner)
        # What arrived since goes too; under the lock nothing more comes.
        empty_folder(db, owner, folder.id, cause=cause)
        for statement in (
            "DELETE FROM mail_change WHERE owner_id = %s AND folder_id = %s",
            "DELETE FROM mail_seen WHERE owner_id = %s AND folder_id = %s",
            "DELETE FROM mail_folder WHERE owner_id = %s AND id = %s",
        ):
            db.execute(statement, [owner, folder.id])
    return folder.id


def rename_folder(
    db: psycopg.Connection[Any], owner: MailboxId, old_name: str, new_name: str
) -> Renamed:
    """Rename a folder and those below it; missing parents are made.

    INBOX stays, with what is below it: its messages move to the new folder (RFC 9051 §6.3.6). A level that is no
    folder takes along what is below it, and becomes one.
    Raises NoSuchFolder, FolderExists, FolderNameInvalid.
    """
    old = canonical_name(old_name)
    new = checked_name(new_name)
    if old == INBOX:
        return _rename_inbox(db, owner, new)
    if (new + HIERARCHY_SEPARATOR).startswith(old + HIERARCHY_SEPARATOR) and new != old:
        raise FolderNameInvalid("a folder cannot go below itself")
    try:
        with db.transaction():
            lock_mailbox(db, owner)
            return _rename_tree(db, owner, old, new)
    except UniqueViolation:
        raise FolderExists(new) from None


def _rename_tree(db: psycopg.Connection[Any], owner: MailboxId, old: str, new: str) -> Renamed:
    rows = db.execute(
        """
        SELECT id, name FROM mail_folder
        WHERE owner_id = %s AND (name = %s OR starts_with(name, %s)) ORDER BY id FOR UPDATE
        """,
        [owner, old, old + HIERARCHY_SEPARATOR],
    ).fetchall()
    names = {FolderId(id_): new + name[len(old) :] for id_, name in rows}
    if not names:
        raise NoSuchFolder
    if not all(map(fits, names.values())):
        raise FolderNameInvalid("a name below it would be too long")
    _refuse_others(*names.values())
    if _exists(db, owner, new):
        raise FolderExists(new)
    topmost = min(names.values(), key=len)
    inherit_rights(db, owner, new, _make_parents(db, owner, topmost))
    db.execute(
        """
        UPDATE mail_folder f SET name = n.name
        FROM unnest(%s::bigint[], %s::text[]) AS n (id, name)
        WHERE f.owner_id = %s AND f.id = n.id
        """,
        [list(names), list(names.values()), owner],
    )
    return Renamed(tuple(names))


def _rename_inbox(db: psycopg.Connection[Any], owner: MailboxId, new: str) -> Renamed:
    inbox = open_folder(db, owner, INBOX)
    target = create_folder(db, owner, new)
    db.execute(  # INBOX keeps its annotations, and the new folder gets them too (RFC 5464 §4.1)
        "INSERT INTO mail_annotation SELECT owner_id, %s, reader_id, name, value"
        " FROM mail_annotation WHERE owner_id = %s AND folder_id = %s",
        [target.id, owner, inbox.id],
    )
    rows = db.execute(
        "SELECT uid FROM mail_entry WHERE owner_id = %s AND folder_id = %s ORDER BY uid",
        [owner, inbox.id],
    ).fetchall()
    move_messages(db, owner, inbox.id, [Uid(uid) for (uid,) in rows], target.id)
    return Renamed((target.id, inbox.id))


def _make_parents(db: psycopg.Connection[Any], owner: MailboxId, name: str) -> list[FolderId]:
    """The folders that were missing."""
    above = list(parents(name))
    if not above:
        return []
    rows = db.execute(
        "INSERT INTO mail_folder (owner_id, name) SELECT %s, unnest(%s::text[])"
        " ON CONFLICT DO NOTHING RETURNING id",
        [owner, above],
    ).fetchall()
    return [FolderId(id_) for (id_,) in rows]


def _free_special_use(db: psycopg.Connection[Any], owner: MailboxId, special_use: str) -> str:
    taken = (
        special_use
        and db.execute(
            "SELECT FROM mail_folder WHERE owner_id = %s AND special_use = %s", [owner, special_use]
        ).fetchone()
    )
    return "" if taken is not None else special_use


def _refuse_others(*names: str) -> None:
    """Raises FolderNameInvalid where a name is the one of another's folder: its owner could not reach it by it."""
    if any(map(split_shared, names)):
        raise FolderNameInvalid("the name means another user's folder")


def _check_count(db: psycopg.Connection[Any], owner: MailboxId) -> None:
    """Raises TooManyFolders; what one command makes besides, its parents, may go over."""
    row = db.execute(
        "SELECT count(*) >= %s FROM mail_folder WHERE owner_id = %s", [FOLDERS_MAXIMUM, owner]
    ).fetchone()
    if row is not None and row[0]:
        raise TooManyFolders


def _has_children(db: psycopg.Connection[Any], owner: MailboxId, name: str) -> bool:
    found = db.execute(
        "SELECT FROM mail_folder WHERE owner_id = %s AND starts_with(name, %s) LIMIT 1",
        [owner, name.replace("\0", "") + HIERARCHY_SEPARATOR],
    ).fetchone()
    return found is not None


def _exists(db: psycopg.Connection[Any], owner: MailboxId, name: str) -> bool:
    found = db.execute(
        "SELECT FROM mail_folder WHERE owner_id = %s AND name = %s", [owner, name]
    ).fetchone()
    return found is not None
