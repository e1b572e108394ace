"""What LIST shows: the folders that a reader may know of, and the names subscribed to (RFC 9051 §6.3.9)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.flagbits import DELETED
from accounts.mailstore.folders import list_folders
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
    folders = {
        state.name: VisibleFolder(state, ALL_RIGHTS, is_own=True)
        for state in list_folders(db, reader)
    }
    for name, state, rights in shared_folders(db, reader):
        folders[name] = VisibleFolder(state, rights, is_own=False)
    names = list_subscriptions(db, reader) if with_subscriptions else ()
    return Hierarchy(folders, frozenset(names))


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
