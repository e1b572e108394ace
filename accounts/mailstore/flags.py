"""STORE: flags of entries (RFC 9051 §6.4.6, RFC 7162 §3.1.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg

from accounts.mailstore.values import FolderId, MailboxId, ModSeq, Uid

Mode = Literal["add", "remove", "replace"]


@dataclass(frozen=True, slots=True)
class Stored:
    """`modseq` is the folder's highest afterwards. `changed` and `unchanged` are (uid, flags, modseq) after the
    command, in order of UID; `modified` are those that UNCHANGEDSINCE kept as they were. UIDs that do not exist
    are in none. `keywords` is the folder's list afterwards."""

    modseq: ModSeq
    changed: tuple[tuple[Uid, int, ModSeq], ...]
    unchanged: tuple[tuple[Uid, int, ModSeq], ...]
    modified: tuple[Uid, ...]
    keywords: tuple[str, ...]


def store_flags(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[Uid],
    mode: Mode,
    flags: tuple[str, ...],
    unchanged_since: ModSeq | None = None,
    *,
    cause: str = "imap",
) -> Stored:
    """Change flags; over 5,000 entries in chunks, each with its modseq. Raises NoSuchFolder, TooManyKeywords."""
    raise NotImplementedError
