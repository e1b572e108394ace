"""How much a mailbox holds, and how much it may (RFC 9208)."""

from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.values import MailboxId, NoSuchFolder


@dataclass(frozen=True, slots=True)
class QuotaState:
    """`limit_bytes` None is no limit. Every entry counts with its whole size, copies too."""

    used_bytes: int
    used_messages: int
    limit_bytes: int | None

    def has_room_for(self, size: int) -> bool:
        """Whether a message of `size` octets may come in."""
        return self.limit_bytes is None or self.used_bytes + size <= self.limit_bytes


def quota_of(db: psycopg.Connection[Any], owner: MailboxId) -> QuotaState:
    """One mailbox's quota. Raises NoSuchFolder when the mailbox is gone."""
    row = db.execute(
        "SELECT used_bytes, used_messages, quota_bytes FROM accounts_mailbox WHERE id = %s",
        [owner],
        prepare=True,
        binary=True,
    ).fetchone()
    if row is None:
        raise NoSuchFolder
    return QuotaState(*row)
