"""FETCH: what is ready to send, by columns; nothing is parsed here (RFC 9051 §6.4.5)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg

from accounts.mailstore.values import BlobId, FolderId, MailboxId, Uid

Column = Literal[
    "flags",  # int
    "modseq",  # int
    "internal_date",  # datetime
    "save_date",  # datetime
    "message_id",  # int: the row, EMAILID
    "thread_id",  # int | None
    "size",  # int: prefix and blob
    "prefix",  # bytes
    "header",  # bytes: the blob's header with the empty line; what a client reads is prefix + header
    "envelope",  # bytes
    "body",  # bytes
    "body_structure",  # bytes
    "parts",  # bytes: offsets into the blob
    "content",  # bytes | BlobReference: the blob; a reference when it is large
    "blob",  # BlobReference
]


@dataclass(frozen=True, slots=True)
class BlobReference:
    """A blob to be read in pieces by `read_blob`."""

    id: BlobId
    size: int
    object_name: str


def fetch(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[Uid],
    columns: Sequence[Column],
) -> list[tuple[Any, ...]]:
    """(uid, *columns) of the entries that exist, in order of UID. One round trip."""
    raise NotImplementedError


def read_blob(
    db: psycopg.Connection[Any], blob: BlobReference, start: int = 0, length: int | None = None
) -> bytes:
    """A slice of a blob; beyond its end it is shorter."""
    raise NotImplementedError


def read_blob_in_pieces(
    db: psycopg.Connection[Any], blob: BlobReference, start: int, length: int
) -> Iterator[bytes]:
    """The same in pieces of bounded size."""
    raise NotImplementedError
