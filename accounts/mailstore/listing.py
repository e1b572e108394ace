"""What LIST shows: the folders that a reader may know of, and the names subscribed to (RFC 9051 §6.3.9)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from accounts.mailstore.flagbits import DELETED
from accounts.mailstore.folders import list_folders
from accounts.mailstore.locking import STATE_COLUMNS, folder_state
from accounts.mailstore.sharing import ALL_RIGHTS, shared_folders
from accounts.mailstore.subscriptions import list_subscriptions
from accounts.mailstore.values import FolderId, FolderState, MailboxId


@dataclass(frozen=True, slots=True)
class VisibleFolder:
    """A folder and the reader's rights in it (RFC 4314)."""

    state: FolderState
    rights: str
    is_own: bool

    @property
    def is_selectable(self) -> bool:
        return "r" in self.rights


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """The names that there are for one reader, as he writes them."""

    folders: dict[str, VisibleFolder]
    subscribed: frozenset[str]


def hierarchy(
    db: psycopg.Connection[Any], reader: MailboxId, *, with_subscriptions: bool
) -> Hierarchy:
    """The reader's own folders, and others' that the reader may know of."""
    folders = own_folders(list_folders(db, reader))
    for name, state, rights in shared_folders(db, reader):
        folders[name] = VisibleFolder(state, rights, is_own=False)
    names = list_subscriptions(db, reader) if with_subscriptions else ()
    return Hierarchy(folders, frozenset(names))


def own_folders(states: Iterable[FolderState]) -> dict[str, VisibleFolder]:
    """The reader's own, by name."""
    return {state.name: VisibleFolder(state, ALL_RIGHTS, is_own=True) for state in states}


def looked_at_again(
    db: psycopg.Connection[Any], reader: MailboxId, known: Hierarchy, folders: Collection[FolderId]
) -> Hierarchy:
    """`known`, with these of its folders as they are now; all of it anew where one is not the reader's own, or has
    another name, or is gone."""
    names = {folder.state.id: name for name, folder in known.folders.items() if folder.is_own}
    rows = db.execute(
        f"SELECT {STATE_COLUMNS} FROM mail_folder WHERE owner_id = %s AND id = ANY(%s)",
        [reader, list(folders)],
        prepare=True,
        binary=True,
    ).fetchall()
    states = [folder_state(row) for row in rows]
    if len(states) != len(folders) or any(names.get(s.id) != s.name for s in states):
        return hierarchy(db, reader, with_subscriptions=True)
    return replace(known, folders=known.folders | own_folders(states))


def deleted_bytes(
    db: psycopg.Connection[Any], folders: Iterable[FolderState]
) -> dict[FolderId, int]:
    """How many octets an EXPUNGE would free in each folder (DELETED-STORAGE, RFC 9208 §4.1.4)."""
    asked = [(folder.owner, folder.id) for folder in folders if folder.deleted_count]
    if not asked:
        return {}
    owners, ids = zip(*asked, strict=True)
    rows = db.execute(
        f"""
        SELECT e.folder_id, sum(m.size)::bigint
        FROM unnest(%s::bigint[], %s::bigint[]) AS f (owner_id, id)
        JOIN mail_entry e ON e.owner_id = f.owner_id AND e.folder_id = f.id
        JOIN mail_message m ON m.owner_id = e.owner_id AND m.id = e.message_id
        WHERE e.flags & {DELETED} <> 0 GROUP BY e.folder_id
        """,
        [list(owners), list(ids)],
        prepare=True,
    ).fetchall()
    return {FolderId(id_): size for id_, size in rows}
