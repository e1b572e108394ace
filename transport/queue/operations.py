"""What an administrator does to rows of the queue. Services; the caller wakes the returned next hops."""

import random
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from transport.database_threads import Connection
from transport.queue.claim import LEASE_SECONDS, Claimed, ClaimedRecipient
from transport.queue.outcomes import Stage, permanent
from transport.queue.recording import Recorded, record
from transport.queue.schedule import DEFAULT_SCHEDULE

_RETRY_NOW = """
UPDATE transport_queuedrecipient SET next_attempt_at = clock_timestamp()
WHERE id = ANY(%s) AND state = 'waiting' RETURNING next_hop
"""
_CANCEL = """
UPDATE transport_queuedrecipient
SET state = 'cancelled', lease_token = NULL, lease_until = NULL, finished_at = clock_timestamp()
WHERE id = ANY(%s) AND state = 'waiting'
"""
_TAKE = """
UPDATE transport_queuedrecipient r
SET lease_token = %(token)s, lease_until = clock_timestamp() + make_interval(secs => %(seconds)s)
FROM transport_queuedmessage m
WHERE r.id = ANY(%(ids)s) AND r.state = 'waiting' AND m.id = r.message_id
RETURNING m.id, m.trace_id, m.blob_id, m.prefix, m.reverse_path, m.domain_name, m.ret, m.envid, m.require_tls,
    m.created_at, r.next_hop, r.id, r.forward_path, r.notify, r.orcpt, r.attempts, r.delay_notified
"""


def retry_now(db: Connection, recipient_ids: Sequence[int]) -> frozenset[str]:
    """Make waiting recipients due; returns their next hops, to be woken."""
    rows = db.execute(_RETRY_NOW, (list(recipient_ids),)).fetchall()
    return frozenset(row[0] for row in rows)


def cancel(db: Connection, recipient_ids: Sequence[int]) -> int:
    """Take waiting recipients out of the queue; the sender is told nothing. Returns how many there were.

    A worker that is sending to one notices before the final dot that its lease is gone.
    """
    return db.execute(_CANCEL, (list(recipient_ids),)).rowcount


def return_to_sender(
    db: Connection, recipient_ids: Sequence[int], reason: str = "returned by the administrator"
) -> tuple[Recorded, ...]:
    """Give waiting recipients up now, with a DSN to the sender; announce what is returned."""
    token = uuid.uuid4()
    outcome = permanent("5.7.0", reason, "", Stage.LOCAL)
    with db.transaction():
        rows = db.execute(
            _TAKE, {"ids": list(recipient_ids), "token": token, "seconds": LEASE_SECONDS}
        ).fetchall()
        by_message: dict[tuple[int, str], list[tuple[Any, ...]]] = {}
        for row in rows:
            by_message.setdefault((row[0], row[10]), []).append(row)
    recorded = []
    for taken in by_message.values():
        claimed = _claimed(token, taken)
        outcomes = {one.id: outcome for one in claimed.recipients}
        recorded.append(record(db, claimed, outcomes, DEFAULT_SCHEDULE, random.Random(), {}))
    return tuple(recorded)


def _claimed(token: uuid.UUID, rows: Sequence[tuple[Any, ...]]) -> Claimed:
    """Rows of one message and next hop as a claim of our own."""
    message = rows[0]
    return Claimed(
        token,
        message[10],
        queue_id=message[0],
        trace_id=message[1],
        blob_id=message[2],
        prefix=bytes(message[3]),
        reverse_path=message[4],
        domain_name=message[5],
        ret=message[6],
        envid=message[7],
        require_tls=message[8],
        created_at=message[9],
        age=timedelta(),
        relay_id=None,
        recipients=tuple(ClaimedRecipient(*row[11:]) for row in rows),
    )
