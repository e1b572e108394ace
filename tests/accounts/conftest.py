"""Mailboxes for store tests: each ends with the store's own check."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from accounts.mailstore.consistency import check_mailbox
from accounts.mailstore.folders import create_default_folders, open_folder
from accounts.mailstore.values import FolderState, MailboxId

MakeMailbox = Callable[..., MailboxId]


@pytest.fixture
def make_mailbox(database: psycopg.Connection[Any]) -> Iterator[MakeMailbox]:
    """make_mailbox(quota_bytes=None): a mailbox with its default folders, checked when the test ends."""
    made: list[MailboxId] = []

    def make(quota_bytes: int | None = None) -> MailboxId:
        row = database.execute(
            "INSERT INTO accounts_mailbox (name, quota_bytes, used_bytes, used_messages, created_at)"
            " VALUES ('store test', %s, 0, 0, now()) RETURNING id",
            [quota_bytes],
        ).fetchone()
        assert row is not None
        create_default_folders(database, row[0])
        made.append(MailboxId(row[0]))
        return made[-1]

    yield make
    assert [problem for owner in made for problem in check_mailbox(database, owner)] == []


@pytest.fixture
def mailbox(make_mailbox: MakeMailbox) -> MailboxId:
    """A mailbox without a limit."""
    return make_mailbox()


@pytest.fixture
def inbox(database: psycopg.Connection[Any], mailbox: MailboxId) -> FolderState:
    """Its INBOX, empty."""
    return open_folder(database, mailbox, "INBOX")
