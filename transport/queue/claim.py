"""Claims what is due for one next hop: one message at a time, under a lease.

The rules: a claim takes rows that are waiting, due, and leased by nobody, by the database's clock; it puts a
fresh token on them. Only who holds the token renews the lease or writes outcomes. A lease that runs out (its
worker died) makes the rows claimable again.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from accounts.mailstore.values import BlobId
from transport.database_threads import Connection
from transport.outbound.routes import LOCAL_HOP, next_hop_for
from transport.queue.enqueue import RELAY_OF

LEASE_SECONDS = 30
RECIPIENTS_MAXIMUM = 100  # of one transaction; RFC 5321 §4.5.3.1.8

FREE = "(r.lease_until IS NULL OR r.lease_until < clock_timestamp())"
DUE = f"r.state = 'waiting' AND r.next_attempt_at <= clock_timestamp() AND {FREE}"
ALL_HOPS = "*"  # in transport_destination: all but LOCAL_HOP

_CLAIM = f"""
WITH first AS MATERIALIZED (
    SELECT r.message_id FROM transport_queuedrecipient r
    WHERE r.next_hop = %(next_hop)s AND {DUE} AND NOT EXISTS (
        SELECT FROM transport_destination WHERE is_paused AND next_hop = ANY(%(names)s))
    ORDER BY r.next_attempt_at LIMIT 1 FOR UPDATE SKIP LOCKED
), chosen AS MATERIALIZED (
    SELECT r.id FROM transport_queuedrecipient r
    WHERE r.message_id = (SELECT message_id FROM first) AND r.next_hop = %(next_hop)s AND {DUE}
    ORDER BY r.id LIMIT %(maximum)s FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE transport_queuedrecipient r
    SET lease_token = %(token)s, lease_until = clock_timestamp() + make_interval(secs => %(seconds)s)
    FROM chosen WHERE r.id = chosen.id
    RETURNING r.id, r.message_id, r.forward_path, r.notify, r.orcpt, r.attempts, r.delay_notified
)
SELECT m.id, m.trace_id, m.blob_id, m.prefix, m.reverse_path, m.domain_name, m.ret, m.envid, m.require_tls,
    m.created_at, clock_timestamp() - m.created_at, {RELAY_OF.format(domain_name="m.domain_name")},
    c.id, c.forward_path, c.notify, c.orcpt, c.attempts, c.delay_notified
FROM claimed c JOIN transport_queuedmessage m ON m.id = c.message_id
ORDER BY c.id
"""

_RENEW = """
WITH renewed AS (
    UPDATE transport_queuedrecipient
    SET lease_until = clock_timestamp() + make_interval(secs => %(seconds)s)
    WHERE lease_token = ANY(%(tokens)s)
    RETURNING lease_token, state
)
SELECT lease_token FROM renewed GROUP BY lease_token HAVING bool_and(state = 'waiting')
"""

_REROUTE = """
UPDATE transport_queuedrecipient r SET next_hop = t.next_hop, lease_token = NULL, lease_until = NULL
FROM unnest(%(ids)s::bigint[], %(hops)s::text[]) AS t (id, next_hop)
WHERE r.id = t.id AND r.lease_token = %(token)s
"""


@dataclass(frozen=True, slots=True)
class ClaimedRecipient:
    """One row of the queue under our token."""

    id: int
    forward_path: str
    notify: str
    orcpt: str
    attempts: int
    delay_notified: bool


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message with those of its recipients that were due for the next hop.

    `age` is by the database's clock. `relay_id` is the relay that the message would take now.
    """

    token: uuid.UUID
    next_hop: str
    queue_id: int
    trace_id: str
    blob_id: BlobId
    prefix: bytes
    reverse_path: str
    domain_name: str
    ret: str
    envid: str
    require_tls: bool
    created_at: datetime
    age: timedelta
    relay_id: int | None
    recipients: tuple[ClaimedRecipient, ...]

    @property
    def strays(self) -> dict[int, str]:
        """The next hops of recipients whose route has changed since they were queued, by recipient id."""
        is_local = self.next_hop == LOCAL_HOP
        routed = {
            recipient.id: next_hop_for(recipient.forward_path, self.relay_id, is_local=is_local)
            for recipient in self.recipients
        }
        return {id: hop for id, hop in routed.items() if hop != self.next_hop}


def claim(db: Connection, next_hop: str) -> Claimed | None:
    """The message that has been due longest for the next hop, under a new lease; None when nothing is due."""
    token = uuid.uuid4()
    rows = db.execute(
        _CLAIM,
        {
            "next_hop": next_hop,
            "names": [next_hop] if next_hop == LOCAL_HOP else [next_hop, ALL_HOPS],
            "token": token,
            "seconds": LEASE_SECONDS,
            "maximum": RECIPIENTS_MAXIMUM,
        },
        prepare=True,
        binary=True,
    ).fetchall()
    if not rows:
        return None
    recipients = tuple(ClaimedRecipient(*row[12:]) for row in rows)
    message = rows[0]
    return Claimed(
        token,
        next_hop,
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
        age=message[10],
        relay_id=message[11],
        recipients=recipients,
    )


def renew(db: Connection, tokens: list[uuid.UUID]) -> set[uuid.UUID]:
    """Extend the leases; returned are those that still hold.

    One with a row that was held or deleted meanwhile does not, yet its rows stay leased: its message may have left.
    """
    rows = db.execute(
        _RENEW, {"tokens": tokens, "seconds": LEASE_SECONDS}, prepare=True, binary=True
    ).fetchall()
    return {cast(uuid.UUID, row[0]) for row in rows}


def reroute(db: Connection, claimed: Claimed) -> frozenset[str]:
    """Give back recipients whose route has changed, under their new next hop; returns what to wake."""
    strays = claimed.strays
    db.execute(
        _REROUTE,
        {"ids": list(strays), "hops": list(strays.values()), "token": claimed.token},
        prepare=True,
    )
    return frozenset(strays.values())
