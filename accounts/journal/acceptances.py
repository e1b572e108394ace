"""Which transactions were accepted within the last hour, so that a sender that never saw its 250 makes no double.

RFC 5321 §4.5.5 leaves it to the receiver: a connection lost between the commit and the reply makes the sender repeat.
A row is written by the transaction that stores the message: an append does it in its own statement.
"""

from dataclasses import dataclass
from typing import Any

import psycopg

REPEAT_SECONDS = 3600  # for so long is a repeated transaction answered with the first one's id
CONSTRAINT = "mail_accepted_pkey"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """`fingerprint` (32 octets) names the transaction: client, envelope and bytes; `trace_id` is what the client hears."""

    fingerprint: bytes
    trace_id: str


class AlreadyAccepted(Exception):
    """The fingerprint is known; the transaction that wanted to write it has come to nothing."""


def remember(db: psycopg.Connection[Any], acceptance: Acceptance) -> None:
    """Write the row in the caller's transaction. Raises AlreadyAccepted; the transaction is then to be rolled back."""
    try:
        db.execute(
            "INSERT INTO mail_accepted (fingerprint, trace_id) VALUES (%s, %s)",
            (acceptance.fingerprint, acceptance.trace_id),
            prepare=True,
            binary=True,
        )
    except psycopg.errors.UniqueViolation:
        raise AlreadyAccepted from None


def first_trace_id(db: psycopg.Connection[Any], fingerprint: bytes) -> str | None:
    """The id of the transaction's first acceptance; None, and the row is gone, when it is too old to matter."""
    row = db.execute(
        "SELECT trace_id FROM mail_accepted WHERE fingerprint = %s AND accepted_at > now() - make_interval(secs => %s)",
        (fingerprint, REPEAT_SECONDS),
    ).fetchone()
    if row is None:
        forget_old(db)
        return None
    return str(row[0])


def forget(db: psycopg.Connection[Any], fingerprints: list[bytes]) -> None:
    """The clients heard their 250: the same bytes again are another message."""
    db.execute(
        "DELETE FROM mail_accepted WHERE fingerprint = ANY(%s)",
        (fingerprints,),
        prepare=True,
        binary=True,
    )


def forget_old(db: psycopg.Connection[Any]) -> None:
    """Drop what is too old to matter."""
    db.execute(
        "DELETE FROM mail_accepted WHERE accepted_at < now() - make_interval(secs => %s)",
        (REPEAT_SECONDS,),
    )
