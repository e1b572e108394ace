"""A worker on the test database, whose mail goes to a peer on loopback."""

import random
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest

from tests.dns_server import DnsServer
from tests.factories import unique
from tests.smtp_peer import SmtpPeer
from tests.transport.outbound.conftest import make_outside
from transport.database_threads import Connection, connection_string
from transport.queue.claim import Claimed
from transport.queue.drain import Worker, drain
from transport.queue.enqueue import Enqueued, QueueRecipient, QueueRequest, enqueue
from transport.queue.leases import LeaseKeeper

CONTENT = b"From: ann@us.test\r\nSubject: hello\r\n\r\nText.\r\n"
Row = dict[str, Any]


@dataclass
class Queue:
    """The queue as a test sees it. `hop` is the next hop of this test alone; `announced` what was woken."""

    database: Connection
    worker: Worker
    dns: DnsServer
    peer: SmtpPeer
    hop: str
    announced: set[str] = field(default_factory=set)
    folders: list[int] = field(default_factory=list)

    def enqueue(self, *recipients: str | QueueRecipient, **changes: Any) -> Enqueued:
        """Queue a message; recipients are local parts at `hop`, addresses, or whole QueueRecipients."""
        request: dict[str, Any] = {
            "trace_id": uuid.uuid4().hex,
            "content": CONTENT,
            "reverse_path": "ann@us.test",
            "domain_name": "us.test",
            "recipients": tuple(self._recipient(one) for one in recipients or ("bob",)),
        }
        return enqueue(self.database, QueueRequest(**(request | changes)))

    def _recipient(self, recipient: str | QueueRecipient) -> QueueRecipient:
        if isinstance(recipient, QueueRecipient):
            return recipient
        return QueueRecipient(recipient if "@" in recipient else f"{recipient}@{self.hop}")

    def drain(self, hop: str = "") -> bool:
        return drain(self.worker, hop or self.hop)

    def rows(self, enqueued: Enqueued) -> list[Row]:
        cursor = self.database.execute(
            "SELECT *, next_attempt_at - clock_timestamp() AS delay, forward_path AS path"
            " FROM transport_queuedrecipient WHERE message_id = %s ORDER BY id",
            [enqueued.queue_id],
        )
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def states(self, enqueued: Enqueued) -> dict[str, tuple[str, str]]:
        """(state, status) by the local part."""
        return {
            row["path"].partition("@")[0]: (row["state"], row["last_status"])
            for row in self.rows(enqueued)
        }

    def age(self, enqueued: Enqueued, interval: str) -> None:
        """Make the message older, and due."""
        self.database.execute(
            "UPDATE transport_queuedmessage SET created_at = created_at - %s::interval WHERE id = %s",
            [interval, enqueued.queue_id],
        )
        self.make_due(enqueued)

    def make_due(self, enqueued: Enqueued) -> None:
        self.database.execute(
            "UPDATE transport_queuedrecipient SET next_attempt_at = now() WHERE message_id = %s",
            [enqueued.queue_id],
        )

    def trace(self, enqueued: Enqueued) -> list[tuple[Any, ...]]:
        return self.database.execute(
            "SELECT step, result, reason, recipient, detail FROM trace_event e"
            " JOIN transport_queuedmessage m ON m.trace_id = e.trace_id WHERE m.id = %s ORDER BY e.id",
            [enqueued.queue_id],
        ).fetchall()


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    with DnsServer() as server:
        yield server


@pytest.fixture
def queue(database: Connection, dns: DnsServer) -> Iterator[Queue]:
    hop = f"{unique('h')}.test"
    with SmtpPeer() as peer:
        dns.add(hop, "MX", f"10 mx.{hop}.")
        dns.add(f"mx.{hop}", "A", peer.host)
        yield make_queue(database, dns, peer, hop)


def make_queue(database: Connection, dns: DnsServer, peer: SmtpPeer, hop: str) -> Queue:
    announced: set[str] = set()
    folders: list[int] = []

    def announce(changed: Iterable[int], next_hops: Iterable[str]) -> None:
        folders.extend(changed)
        announced.update(next_hops)

    worker = Worker(
        connect,
        make_outside(dns, peer.port),
        LeaseKeeper(connect),
        announce,
        chance=random.Random(1),
    )
    return Queue(database, worker, dns, peer, hop, announced, folders)


def connect() -> psycopg.Connection[tuple[Any, ...]]:
    """A connection of its own, closed at the end of its block."""
    return psycopg.connect(connection_string(), autocommit=True)


Claim = Callable[[], Claimed | None]
