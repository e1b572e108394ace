"""One stored message whole, by its row: for what works on mail that is there already."""

from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.blobs import read_blob
from accounts.mailstore.flagbits import flag_names
from accounts.mailstore.values import BlobId, FolderId, MailboxId, MessageId, Uid


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """What a client reads is `prefix` and `content`."""

    uid: Uid
    folder_name: str
    flags: tuple[str, ...]
    prefix: bytes
    content: bytes


def read_message(
    db: psycopg.Connection[Any], owner: MailboxId, folder: FolderId, message: MessageId
) -> StoredMessage | None:
    """The message as this folder has it (the newest entry of it); None when it has gone."""
    row = db.execute(
        """
        SELECT e.uid, f.name, e.flags, f.keywords, m.prefix, m.blob_id
        FROM mail_entry e
        JOIN mail_folder f ON (f.owner_id, f.id) = (e.owner_id, e.folder_id)
        JOIN mail_message m ON (m.owner_id, m.id) = (e.owner_id, e.message_id)
        WHERE e.owner_id = %s AND e.folder_id = %s AND e.message_id = %s
        ORDER BY e.uid DESC LIMIT 1
        """,
        (owner, folder, message),
        prepare=True,
        binary=True,
    ).fetchone()
    if row is None:
        return None
    uid, name, flags, keywords, prefix, blob = row
    content = read_blob(db, BlobId(blob))
    return StoredMessage(Uid(uid), name, flag_names(flags, keywords), bytes(prefix), content)


@dataclass(frozen=True, slots=True)
class StoredContent:
    """What a client reads is `prefix` and `content`; `sha256` is of the content, and the same for all who received it."""

    sha256: bytes
    prefix: bytes
    content: bytes


def read_content(
    db: psycopg.Connection[Any], owner: MailboxId, message: MessageId
) -> StoredContent | None:
    """The message, whatever folder it is in, or was in some days ago; None when it has gone."""
    row = db.execute(
        """
        SELECT b.sha256, m.prefix, b.id FROM mail_message m JOIN mail_blob b ON b.id = m.blob_id
        WHERE m.owner_id = %s AND m.id = %s
        """,
        (owner, message),
        prepare=True,
        binary=True,
    ).fetchone()
    if row is None:
        return None
    return StoredContent(bytes(row[0]), bytes(row[1]), read_blob(db, BlobId(row[2])))
