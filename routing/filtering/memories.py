"""What scripts remember of a mailbox: written with the delivery that it is about, and gone when its time is over.

Two deliveries at once may both have found that nothing is remembered. The one that commits first wins: the other hears
MemoryTaken, and its script is to run again (RFC 7352 §3, RFC 5230 §4.2).
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.values import MailboxId
from routing.sieve.actions import Memory

Connection = psycopg.Connection[tuple[Any, ...]]

SECONDS_MAXIMUM = 366 * 86_400


class MemoryTaken(psycopg.errors.SerializationFailure):
    """Another delivery has it meanwhile. The transaction is to be rolled back."""


@dataclass(frozen=True, slots=True)
class OwnMemory:
    """`is_new`: the script has gone by that it was not remembered yet."""

    mailbox: MailboxId
    memory: Memory
    is_new: bool


def was_seen(db: Connection, mailbox: MailboxId, kind: str, key: bytes) -> bool:
    """Whether it is remembered. One round trip."""
    row = db.execute(
        "SELECT FROM routing_memory"
        " WHERE mailbox_id = %s AND kind = %s AND key = %s AND expires_at > now()",
        (mailbox, kind, _digest(key)),
        prepare=True,
        binary=True,
    ).fetchone()
    return row is not None


_REMEMBER = """
WITH wanted AS MATERIALIZED (
    SELECT w.mailbox, w.kind, decode(w.key, 'hex') AS key, make_interval(secs => w.seconds) AS span
    FROM jsonb_to_recordset(%s) AS w (mailbox bigint, kind text, key text, seconds int)
    ORDER BY 1, 2, 3
)
INSERT INTO routing_memory AS m (mailbox_id, kind, key, expires_at)
SELECT mailbox, kind, key, now() + span FROM wanted
ON CONFLICT (mailbox_id, kind, key) DO UPDATE SET expires_at = EXCLUDED.expires_at
"""
_NEW_ONLY = " WHERE m.expires_at <= now()"


def remember(db: Connection, memories: Iterable[OwnMemory]) -> None:
    """Write them, within the caller's transaction and before any other lock. Raises MemoryTaken."""
    new: dict[tuple[MailboxId, str, bytes], int] = {}
    known: dict[tuple[MailboxId, str, bytes], int] = {}
    for one in memories:
        key = (one.mailbox, one.memory.kind, _digest(one.memory.key))
        (new if one.is_new else known)[key] = max(1, min(one.memory.seconds, SECONDS_MAXIMUM))
    if _write(db, _REMEMBER + _NEW_ONLY, new) != len(new):
        raise MemoryTaken
    _write(db, _REMEMBER, known)


def forget_expired(db: Connection) -> None:
    """Drop what is over."""
    db.execute("DELETE FROM routing_memory WHERE expires_at <= now()")


def _write(
    db: Connection, statement: str, memories: dict[tuple[MailboxId, str, bytes], int]
) -> int:
    if not memories:
        return 0
    rows = [
        {"mailbox": mailbox, "kind": kind, "key": key.hex(), "seconds": seconds}
        for (mailbox, kind, key), seconds in memories.items()
    ]
    return db.execute(statement.encode(), (json.dumps(rows),), prepare=True, binary=True).rowcount


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
