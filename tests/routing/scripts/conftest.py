"""A mailbox to keep scripts in."""

from typing import Any

import psycopg
import pytest

from accounts.mailstore.values import MailboxId


@pytest.fixture
def mailbox(database: psycopg.Connection[Any]) -> MailboxId:
    row = database.execute(
        "INSERT INTO accounts_mailbox (name, used_bytes, used_messages, created_at)"
        " VALUES ('scripts', 0, 0, now()) RETURNING id"
    ).fetchone()
    assert row is not None
    return MailboxId(row[0])
