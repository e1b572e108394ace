"""What an administrator does to rows of the queue, and to next hops. Services; the caller announces what they return.

A row that a worker is sending at this moment keeps its token: who holds it looks before the final dot, and sends
nothing when one of its rows is no longer waiting; once the dot is sent, what the peer answers is recorded, also where
the row was held or deleted meanwhile. So a message that left is never shown as held, and not sent twice on release.
"""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from accounts.mailstore.values import FolderId
from transport.database_threads import Connection
from transport.queue.claim import ALL_HOPS, DUE, FREE, LEASE_SECONDS, Claimed, ClaimedRecipient
from transport.queue.destinations import forget
from transport.queue.outcomes import Stage, permanent
from transport.queue.recording import record
from transport.queue.schedule import DEFAULT_SCHEDULE

_HOLD = """
UPDATE transport_queuedrecipient SET state = 'held'
WHERE id = ANY(%s) AND state = 'waiting' RETURNING id, next_hop
"""
_RELEASE = """
UPDATE transport_queuedrecipient SET state = 'waiting', next_attempt_at = clock_timestamp()
WHERE id = ANY(%s) AND state = 'held' RETURNING id, next_hop
"""
_TRY_NOW = """
UPDATE transport_queuedrecipient SET next_attempt_at = clock_timestamp()
WHERE id = ANY(%s) AND state = 'waiting' RETURNING id, next_hop
"""
_DELETE = """
UPDATE transport_queuedrecipient SET state = 'cancelled', finished_at = clock_timestamp()
WHERE id = ANY(%s) AND state IN ('waiting', 'held') RETURNING id, next_hop
"""
_TAKE = f"""
UPDATE transport_queuedrecipient r
SET lease_token = %(token)s, lease_until = clock_timestamp() + make_interval(secs => %(seconds)s)
FROM transport_queuedmessage m
WHERE r.id = ANY(%(ids)s) AND r.state IN ('waiting', 'held') AND {FREE} AND m.id = r.message_id
RETURNING m.id, m.trace_id, m.blob_id, m.prefix, m.reverse_path, m.domain_name, m.ret, m.envid, m.require_tls,
    m.created_at, r.next_hop, r.id, r.forward_path, r.notify, r.orcpt, r.attempts, r.delay_notified
"""
_PAUSE = """
INSERT INTO transport_destination (next_hop, is_paused) VALUES (%s, true)
ON CONFLICT (next_hop) DO UPDATE SET is_paused = true WHERE NOT transport_destination.is_paused
"""
_RESUME = "UPDATE transport_destination SET is_paused = false WHERE next_hop = %s AND is_paused"
_DUE = f"""
SELECT DISTINCT r.next_hop FROM transport_queuedrecipient r
WHERE {DUE} AND (r.next_hop = %(next_hop)s OR %(next_hop)s = '{ALL_HOPS}')
"""


@dataclass(frozen=True, slots=True)
class Changed:
    """The recipients that were changed, and what to announce: next hops to wake, folders that have new mail."""

    ids: frozenset[int] = frozenset()
    next_hops: frozenset[str] = frozenset()
    folders: tuple[FolderId, ...] = ()


def hold(db: Connection, recipient_ids: Sequence[int]) -> Changed:
    """Keep waiting recipients from being tried until they are released, however long that takes."""
    return Changed(_changed(db, _HOLD, recipient_ids).ids)


def release(db: Connection, recipient_ids: Sequence[int]) -> Changed:
    """Let held recipients go on; they are due at once, also where the next hop was down a moment ago."""
    changed = _changed(db, _RELEASE, recipient_ids)
    forget(db, changed.next_hops)
    return changed


def try_now(db: Connection, recipient_ids: Sequence[int]) -> Changed:
    """Make waiting recipients due, also where the next hop was down a moment ago."""
    changed = _changed(db, _TRY_NOW, recipient_ids)
    forget(db, changed.next_hops)
    return changed


def delete(db: Connection, recipient_ids: Sequence[int]) -> Changed:
    """Take waiting and held recipients out of the queue; the sender is told nothing."""
    return Changed(_changed(db, _DELETE, recipient_ids).ids)


def return_to_sender(
    db: Connection, recipient_ids: Sequence[int], reason: str = "returned by the administrator"
) -> Changed:
    """Give waiting and held recipients up now, with a DSN to the sender.

    One that is being sent is left alone, since its message may have left: hold it, and return it when it is free.
    """
    token = uuid.uuid4()
    rows = db.execute(
        _TAKE, {"ids": list(recipient_ids), "token": token, "seconds": LEASE_SECONDS}
    ).fetchall()
    by_message: dict[tuple[int, str], list[tuple[Any, ...]]] = {}
    for row in rows:
        by_message.setdefault((row[0], row[10]), []).append(row)
    outcome = permanent("5.7.0", reason, "", Stage.LOCAL)
    recorded = []
    for taken in by_message.values():
        claimed = _claimed(token, taken)
        outcomes = {one.id: outcome for one in claimed.recipients}
        recorded.append(record(db, claimed, outcomes, DEFAULT_SCHEDULE, random.Random(), {}))
    return Changed(
        frozenset(id for each in recorded for id in each.ids),
        frozenset(hop for each in recorded for hop in each.next_hops),
        tuple(folder for each in recorded for folder in each.folders),
    )


def pause(db: Connection, next_hop: str) -> bool:
    """Send nothing more to a next hop (`*`: to nobody outside) until it is resumed; False: it was paused already."""
    return db.execute(_PAUSE, (next_hop,)).rowcount == 1


def resume(db: Connection, next_hop: str) -> Changed:
    """Send again; what is due meanwhile is to be woken. No recipient is changed."""
    db.execute(_RESUME, (next_hop,))
    rows = db.execute(_DUE, {"next_hop": next_hop}).fetchall()
    return Changed(next_hops=frozenset(row[0] for row in rows))


def _changed(db: Connection, statement: str, recipient_ids: Sequence[int]) -> Changed:
    rows = db.execute(statement, (list(recipient_ids),)).fetchall()
    return Changed(frozenset(row[0] for row in rows), frozenset(row[1] for row in rows))


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
