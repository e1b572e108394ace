"""check_mailbox: the invariants of stored mail."""

from typing import Any

import psycopg

from accounts.mailstore.values import MailboxId


def check_mailbox(db: psycopg.Connection[Any], owner: MailboxId) -> list[str]:
    """One line a violation; empty when all is well. Every store test ends with it."""
    raise NotImplementedError
