"""The values that the mail store takes and returns, and its errors.

RFC 5321 calls a person's address a mailbox and RFC 9051 calls a folder one. Here a mailbox (`owner`) is
what a person owns, and a folder is what IMAP selects.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from accounts.mailstore.structure import Structure, render

MailboxId = NewType("MailboxId", int)
FolderId = NewType("FolderId", int)
MessageId = NewType("MessageId", int)
"""Of a stored message (a row), not the Message-ID field."""
BlobId = NewType("BlobId", int)
Uid = NewType("Uid", int)
ModSeq = NewType("ModSeq", int)

INBOX = "INBOX"
HIERARCHY_SEPARATOR = "/"


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message with everything that is computed from it, before any lock is taken."""

    content: bytes
    sha256: bytes
    structure: Structure


def new_message(content: bytes) -> NewMessage:
    """Render `content` (lines end in CRLF) once, for all that will get it."""
    return NewMessage(content, hashlib.sha256(content).digest(), render(content))


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one owner gets a message.

    `folder` wins; while it is None, the folder called `name`, where one is given (of a message's only placement); else
    the folder with `special_use` ("" is INBOX), which is made again if it was deleted. `prefix` is the header fields for this owner alone, each line ending in CRLF. `flags` are IMAP
    names. `internal_date` None is now.
    """

    owner: MailboxId
    folder: FolderId | None = None
    special_use: str = ""
    prefix: bytes = b""
    flags: tuple[str, ...] = ()
    internal_date: datetime | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Appended:
    """One entry that an append made; placements and results stand in the same order."""

    owner: MailboxId
    folder_id: FolderId
    uid_validity: int
    uid: Uid
    message_id: MessageId
    modseq: ModSeq


@dataclass(frozen=True, slots=True)
class FolderState:
    """A folder as STATUS and SELECT tell it. Bit 5+i of an entry's flags is `keywords[i]`.

    `is_shared`: it is shared, or was: others may have rights, and rows of what they have seen.
    """

    id: FolderId
    owner: MailboxId
    name: str
    uid_validity: int
    uid_next: Uid
    highest_modseq: ModSeq
    min_modseq: ModSeq
    special_use: str
    message_count: int
    unseen_count: int
    deleted_count: int
    size_bytes: int
    keywords: tuple[str, ...]
    is_shared: bool = False


class MailstoreError(Exception):
    """What a client asked for cannot be done; never our own failure."""


class OverQuota(MailstoreError):
    """Nothing was stored: this owner has no room for it."""

    def __init__(self, owner: MailboxId) -> None:
        super().__init__(f"mailbox {owner} is over its quota")
        self.owner = owner


class NoSuchFolder(MailstoreError):
    """The folder does not exist (any more)."""


class NoPermission(MailstoreError):
    """The reader of a shared folder lacks a right that this needs (RFC 4314 §4)."""


class FolderExists(MailstoreError):
    """A folder of that name exists."""


class FolderHasChildren(MailstoreError):
    """There is no such folder, only others below its name (HASCHILDREN, RFC 9051 §6.3.5)."""


class FolderNameInvalid(MailstoreError):
    """No folder may be called that; the text says why."""


class TooManyFolders(MailstoreError):
    """The mailbox has as many folders, or subscriptions, as it may."""


class AnnotationTooLong(MailstoreError):
    """The value is longer than an annotation may be."""


class TooManyAnnotations(MailstoreError):
    """No more annotations may hang there."""


class SpecialUseInvalid(MailstoreError):
    """No folder, or not this one, may have the special use (USEATTR, RFC 6154 §3)."""


class FolderNotRemovable(MailstoreError):
    """INBOX is never deleted (RFC 9051 §6.3.5), nor is a folder that holds others."""


class TooManyKeywords(MailstoreError):
    """The folder has no bit left for another keyword."""
