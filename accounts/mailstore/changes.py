"""What is in a folder, and what changed in it since a modseq (RFC 7162)."""

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.values import FolderId, FolderState, MailboxId, ModSeq, Uid


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A folder at one moment. The three arrays (type 'q') are parallel, in order of UID."""

    state: FolderState
    uids: "array[int]"
    flags: "array[int]"
    modseqs: "array[int]"


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened after a modseq. `entries` are new and changed ones, (uid, flags, modseq) in order of UID; an
    entry may be told again by the next call. `vanished` may hold UIDs that the caller never saw."""

    state: FolderState
    vanished: frozenset[Uid]
    entries: tuple[tuple[Uid, int, ModSeq], ...]


def snapshot(db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId) -> Snapshot:
    """The whole folder. Raises NoSuchFolder."""
    raise NotImplementedError


def changes_since(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, modseq: ModSeq
) -> Changes:
    """One round trip when nothing changed, two otherwise. Below `min_modseq`, `vanished` holds every UID under
    uid_next that does not exist (RFC 7162 §3.2.6). Raises NoSuchFolder."""
    raise NotImplementedError


def current_modseqs(
    db: psycopg.Connection[Any], folders: Iterable[tuple[MailboxId, FolderId]]
) -> Mapping[FolderId, ModSeq]:
    """highest_modseq of each; a folder that is gone is missing."""
    raise NotImplementedError


def trim_changes(db: psycopg.Connection[Any], older_than_days: int) -> int:
    """Delete old change rows and raise the folders' `min_modseq`; how many rows went."""
    raise NotImplementedError
