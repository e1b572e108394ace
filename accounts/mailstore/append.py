"""append_message: one message to all its placements, in one statement."""

from collections.abc import Sequence
from typing import Any

import psycopg

from accounts.journal.trace import TraceEvent
from accounts.mailstore.values import Appended, NewMessage, Placement


def append_message(
    db: psycopg.Connection[Any],
    message: NewMessage,
    placements: Sequence[Placement],
    *,
    cause: str,
    trace: Sequence[TraceEvent] = (),
) -> tuple[Appended, ...]:
    """Store `message` for every placement, or for none: one statement, one round trip.

    `cause` goes to the journal ("smtp", "imap", "dsn", ...). Raises OverQuota, NoSuchFolder.
    Placements of one owner with the same prefix share one message row. A placement keeps its place in the result.
    """
    raise NotImplementedError


def append_messages(
    db: psycopg.Connection[Any],
    messages: Sequence[tuple[NewMessage, Placement]],
    *,
    cause: str,
) -> tuple[Appended, ...]:
    """Several messages, all or none (RFC 3502), in one transaction."""
    raise NotImplementedError
