"""Messages and short ways to store them, for store tests."""

import uuid
from typing import Any

import psycopg

from accounts.mailstore.append import append_message
from accounts.mailstore.changes import snapshot
from accounts.mailstore.flagbits import flag_names
from accounts.mailstore.folders import open_folder
from accounts.mailstore.values import (
    Appended,
    FolderId,
    MailboxId,
    NewMessage,
    Placement,
    Uid,
    new_message,
)


def some_message(text: str = "", size: int = 0) -> NewMessage:
    """A message that no other test has."""
    token = uuid.uuid4().hex
    head = f"From: a@example.test\r\nSubject: {text or token}\r\nMessage-ID: <{token}@x>\r\n\r\n"
    content = head.encode() + f"{token}\r\n".encode()
    return new_message(content + b"x" * max(0, size - len(content)))


def deliver(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder: FolderId | None = None,
    *,
    flags: tuple[str, ...] = (),
    message: NewMessage | None = None,
    **placement: Any,
) -> Appended:
    """One message for one owner."""
    where = Placement(owner, folder=folder, flags=flags, **placement)
    return append_message(db, message or some_message(), [where], cause="test")[0]


def flags_in(
    db: psycopg.Connection[Any], owner: MailboxId, name: str = "INBOX"
) -> dict[Uid, tuple[str, ...]]:
    """Flag names by UID of a folder."""
    now = snapshot(db, owner, open_folder(db, owner, name).id)
    return {
        Uid(uid): flag_names(flags, now.state.keywords)
        for uid, flags in zip(now.uids, now.flags, strict=True)
    }
