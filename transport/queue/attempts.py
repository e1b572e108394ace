"""Every attempt to send a message, as the trace keeps it (`accounts/journal/retention.py` says how long)."""

from dataclasses import dataclass
from datetime import datetime

from transport.database_threads import Connection

_ATTEMPTS = """
SELECT at, recipient, result, reason, detail FROM trace_event
WHERE trace_id = (SELECT trace_id FROM transport_queuedmessage WHERE id = %(queue_id)s)
    AND queue_id = %(queue_id)s AND step = 'send'
ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class HostTried:
    """An address that was tried in vain within an attempt, and why; "" where a host has none."""

    address: str
    host: str
    stage: str
    reply: str


@dataclass(frozen=True, slots=True)
class AttemptMade:
    """One attempt for one recipient: whom we spoke to last, how far it went, and what was answered.

    `result` is delivered, deferred, failed or cancelled; `tls` the version, or "" in clear text.
    """

    at: datetime
    recipient: str
    number: int
    result: str
    host: str
    address: str
    tls: str
    is_verified: bool
    stage: str
    status: str
    reply: str
    failed: tuple[HostTried, ...]


def attempts_of(db: Connection, queue_id: int) -> tuple[AttemptMade, ...]:
    """What was tried for a queued message, the oldest first."""
    rows = db.execute(_ATTEMPTS, {"queue_id": queue_id}).fetchall()
    return tuple(
        AttemptMade(
            at,
            recipient,
            number=detail.get("attempt", 0),
            result=result,
            host=detail.get("host", ""),
            address=detail.get("address", ""),
            tls=detail.get("tls") or "",
            is_verified=bool(detail.get("is_verified")),
            stage=detail.get("stage", ""),
            status=detail.get("status", ""),
            reply=reason,
            failed=tuple(HostTried(**one) for one in detail.get("failed", ())),
        )
        for at, recipient, result, reason, detail in rows
    )
