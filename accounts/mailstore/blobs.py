"""Blobs: each message as it came, once, however many hold it.

Small ones stand in their row; above INLINE_MAXIMUM octets they are objects (`objects`), written before the row.
Whoever reuses a blob locks its row first, so that the sweep cannot take it away meanwhile.
"""

import hashlib
from typing import Any

import psycopg

from accounts.mailstore.objects import delete_object, read_object, write_object
from accounts.mailstore.values import BlobId

INLINE_MAXIMUM = 256 * 1024

KEEP = """
INSERT INTO mail_blob (sha256, size, content, object_name)
VALUES ({sha256}, {size}, {content}, {object_name})
ON CONFLICT (sha256) DO UPDATE SET used_at = now()
RETURNING id, object_name
"""
"""Keeps a blob, made if missing, locked until the transaction ends; to be filled with names of parameters. Part of
larger statements elsewhere. `content` is NULL where the blob is an object (`object_for`)."""

_KEEP = KEEP.format(
    sha256="%(sha256)s", size="%(size)s", content="%(content)s", object_name="%(object_name)s"
)

_LOCK = "SELECT object_name FROM mail_blob WHERE sha256 = %s FOR NO KEY UPDATE"


def keep_blob(db: psycopg.Connection[Any], content: bytes, sha256: bytes | None = None) -> BlobId:
    """The id of the blob with this content, made if missing and locked until the transaction ends.

    Call it inside the transaction that writes what refers to it. For what is not in a mailbox: the outbound queue.
    """
    sha256 = sha256 or hashlib.sha256(content).digest()
    object_name = object_for(db, content, sha256)
    row = db.execute(
        _KEEP,
        {
            "sha256": sha256,
            "size": len(content),
            "content": None if object_name else content,
            "object_name": object_name,
        },
        prepare=True,
        binary=True,
    ).fetchone()
    assert row is not None
    drop_unused_object(object_name, row[1])
    return BlobId(row[0])


def object_for(db: psycopg.Connection[Any], content: bytes, sha256: bytes) -> str:
    """ "" for a small blob; for a large one the name of its object, which is written unless the blob is there.

    A blob that is there is locked by this, so call it inside the transaction that refers to it.
    """
    if len(content) <= INLINE_MAXIMUM:
        return ""
    row = db.execute(_LOCK, [sha256], prepare=True).fetchone()
    return row[0] if row else write_object(content)


def drop_unused_object(written: str, kept: str) -> None:
    """Delete the object just written when another process stored the same blob meanwhile."""
    if written and written != kept:
        delete_object(written)


def read_blob(db: psycopg.Connection[Any], blob_id: BlobId) -> bytes:
    """All of a blob."""
    row = db.execute(
        "SELECT content, object_name FROM mail_blob WHERE id = %s",
        [blob_id],
        prepare=True,
        binary=True,
    ).fetchone()
    if row is None:
        raise LookupError(f"no blob {blob_id}")
    content: bytes = row[0] if row[0] is not None else read_object(row[1])
    return content
