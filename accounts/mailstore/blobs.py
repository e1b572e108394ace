"""Blobs: each message as it came, once, however many hold it."""

from typing import Any

import psycopg

from accounts.mailstore.values import BlobId


def keep_blob(db: psycopg.Connection[Any], content: bytes, sha256: bytes) -> BlobId:
    """The id of the blob with this content, made if missing and locked until the transaction ends: call it inside the
    transaction that writes what refers to it. For what is not in a mailbox: the outbound queue."""
    raise NotImplementedError


def blob_content(db: psycopg.Connection[Any], blob_id: BlobId) -> bytes:
    """All of a blob."""
    raise NotImplementedError
