"""COPY, MOVE and EXPUNGE (RFC 9051 §6.4.3, §6.4.7, §6.4.8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.values import FolderId, MailboxId, ModSeq, Uid


@dataclass(frozen=True, slots=True)
class Copied:
    """For COPYUID: `source` and `target` are parallel. For MOVE, `source_modseq` is the source's after the command
    (None for COPY). UIDs that do not exist are in neither."""

    uid_validity: int
    source: tuple[Uid, ...]
    target: tuple[Uid, ...]
    target_modseq: ModSeq | None
    source_modseq: ModSeq | None


@dataclass(frozen=True, slots=True)
class Expunged:
    """The UIDs that went, in order, and the folder's modseq afterwards."""

    uids: tuple[Uid, ...]
    modseq: ModSeq


def copy_messages(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    source: FolderId,
    uids: Sequence[Uid],
    target: FolderId,
    *,
    cause: str = "imap",
) -> Copied:
    """New entries of the same messages; flags, keywords and internal dates go with them. Raises NoSuchFolder, OverQuota."""
    raise NotImplementedError


def move_messages(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    source: FolderId,
    uids: Sequence[Uid],
    target: FolderId,
    *,
    cause: str = "imap",
) -> Copied:
    """The same, and the entries leave the source with it. Into the same folder they get new UIDs."""
    raise NotImplementedError


def expunge(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[Uid] | None = None,
    *,
    cause: str = "imap",
) -> Expunged:
    """Remove the entries with \\Deleted, of `uids` alone if given (UID EXPUNGE). Raises NoSuchFolder."""
    raise NotImplementedError
