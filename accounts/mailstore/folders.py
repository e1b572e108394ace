"""Folders: names, creation, deletion, renaming, subscriptions (RFC 9051 §6.3.3 to §6.3.9)."""

from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.values import FolderId, FolderState, MailboxId


@dataclass(frozen=True, slots=True)
class Renamed:
    """The folders that have another name now."""

    folder_ids: tuple[FolderId, ...]


def create_default_folders(db: psycopg.Connection[Any], mailbox: MailboxId) -> None:
    """INBOX and the five with a special use (RFC 6154), all subscribed. Those that exist stay as they are."""
    raise NotImplementedError


def list_folders(db: psycopg.Connection[Any], owner: MailboxId) -> list[FolderState]:
    """All folders, by name, INBOX first."""
    raise NotImplementedError


def open_folder(db: psycopg.Connection[Any], owner: MailboxId, name: str) -> FolderState:
    """The folder of that name (Unicode; INBOX in any case). Raises NoSuchFolder."""
    raise NotImplementedError


def create_folder(
    db: psycopg.Connection[Any], owner: MailboxId, name: str, special_use: str = ""
) -> FolderState:
    """Make a folder and those above it that are missing. Raises FolderExists, FolderNameInvalid."""
    raise NotImplementedError


def delete_folder(db: psycopg.Connection[Any], owner: MailboxId, name: str) -> FolderId:
    """Delete a folder and its entries; folders below it stay (RFC 9051 §6.3.5). Raises NoSuchFolder, FolderNotRemovable."""
    raise NotImplementedError


def rename_folder(
    db: psycopg.Connection[Any], owner: MailboxId, old_name: str, new_name: str
) -> Renamed:
    """Rename a folder and those below it; missing parents are made. INBOX: its messages move to the new folder,
    and what is below it stays (RFC 9051 §6.3.6). Raises NoSuchFolder, FolderExists, FolderNameInvalid."""
    raise NotImplementedError


def subscribe(db: psycopg.Connection[Any], owner: MailboxId, name: str) -> None:
    """Subscribe to a name, whether the folder exists or not."""
    raise NotImplementedError


def unsubscribe(db: psycopg.Connection[Any], owner: MailboxId, name: str) -> None:
    """Forget the subscription, if there is one."""
    raise NotImplementedError


def list_subscriptions(db: psycopg.Connection[Any], owner: MailboxId) -> list[str]:
    """Subscribed names, sorted."""
    raise NotImplementedError
