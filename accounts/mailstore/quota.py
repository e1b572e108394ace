"""How much a mailbox holds, and how much it may (RFC 9208). A quota root is a mailbox with all its folders."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.values import MailboxId, NoPermission, NoSuchFolder


@dataclass(frozen=True, slots=True)
class QuotaState:
    """A limit that is None is none. Every entry counts with its whole size, copies too.

    `owner` is the mailbox, and `address` its owner's primary address.
    """

    owner: MailboxId
    address: str
    used_bytes: int
    used_messages: int
    limit_bytes: int | None
    limit_messages: int | None


_QUOTA = """
SELECT b.id, COALESCE(a.local_part || '@' || d.name, b.name),
    b.used_bytes, b.used_messages, b.quota_bytes, b.quota_messages
FROM accounts_mailbox b
LEFT JOIN accounts_address a ON (a.user_id = b.user_id OR a.app_id = b.app_id) AND a.is_primary
LEFT JOIN accounts_domain d ON d.id = a.domain_id
WHERE """


ROOM_BYTES = 256 << 20
ROOM_MESSAGES = 1000
_HAS_ROOM = """
SELECT COALESCE(used_bytes + %s < quota_bytes, true) AND COALESCE(used_messages + %s < quota_messages, true)
FROM accounts_mailbox WHERE id = %s
"""

_HAVE_ROOM = """
SELECT bool_or(COALESCE(used_bytes + %s <= quota_bytes, true) AND COALESCE(used_messages < quota_messages, true))
FROM accounts_mailbox WHERE id = ANY(%s)
"""


def quota_of(db: psycopg.Connection[Any], owner: MailboxId) -> QuotaState:
    """One mailbox's quota. Raises NoSuchFolder when the mailbox is gone."""
    return _read(db, _QUOTA + "b.id = %s", owner)


def quota_at(db: psycopg.Connection[Any], reader: MailboxId, address: str) -> QuotaState:
    """The quota of the mailbox whose owner has this primary address: one's own, or any to an administrator.

    Raises NoPermission, whether others' mailboxes exist or not; NoSuchFolder.
    """
    own = quota_of(db, reader)
    if own.address == address:
        return own
    if not is_administrator(db, reader):
        raise NoPermission
    return _read(db, _QUOTA + "a.local_part || '@' || d.name = %s", address)


def set_quota(
    db: psycopg.Connection[Any],
    reader: MailboxId,
    address: str,
    *,
    limit_bytes: int | None,
    limit_messages: int | None,
) -> QuotaState:
    """Both limits anew, by an administrator. Raises NoPermission, NoSuchFolder."""
    if not is_administrator(db, reader):
        raise NoPermission
    owner = quota_at(db, reader, address).owner
    db.execute(
        "UPDATE accounts_mailbox SET quota_bytes = %s, quota_messages = %s WHERE id = %s",
        [limit_bytes, limit_messages, owner],
    )
    return quota_of(db, owner)


def has_room(db: psycopg.Connection[Any], owner: MailboxId) -> bool:
    """Whether the mailbox is so far from its limits that it will not be full within seconds."""
    row = db.execute(_HAS_ROOM, [ROOM_BYTES, ROOM_MESSAGES, owner], prepare=True).fetchone()
    return row is not None and row[0]


def have_room(db: psycopg.Connection[Any], owners: Sequence[MailboxId], size: int) -> bool:
    """Whether any of the mailboxes has room for a message of so many octets."""
    row = db.execute(_HAVE_ROOM, [size, list(owners)], prepare=True).fetchone()
    return row is not None and bool(row[0])


def is_administrator(db: psycopg.Connection[Any], reader: MailboxId) -> bool:
    """Whether this is the mailbox of a user who may administer the installation."""
    row = db.execute(
        "SELECT u.is_staff AND u.is_active FROM accounts_mailbox b"
        " JOIN accounts_user u ON u.id = b.user_id WHERE b.id = %s",
        [reader],
        prepare=True,
    ).fetchone()
    return row is not None and row[0]


def _read(db: psycopg.Connection[Any], query: str, key: MailboxId | str) -> QuotaState:
    row = db.execute(query, [key], prepare=True, binary=True).fetchone()
    if row is None:
        raise NoSuchFolder
    return QuotaState(*row)
