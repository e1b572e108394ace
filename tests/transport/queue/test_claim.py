"""Claims and leases."""

import threading
import time
import uuid

import psycopg
import pytest

from tests.transport.queue.conftest import Queue, connect
from transport.database_threads import Connection
from transport.queue.claim import LEASE_SECONDS, claim, renew
from transport.queue.enqueue import QueueRecipient
from transport.queue.leases import LeaseKeeper


def end_leases(database: Connection, hop: str) -> None:
    """As if their workers had died long ago."""
    database.execute(
        "UPDATE transport_queuedrecipient SET lease_until = now() - interval '1 s' WHERE next_hop = %s",
        [hop],
    )


def test_a_claim_takes_the_message_with_all_its_due_recipients(queue: Queue) -> None:
    first = queue.enqueue("ann", "bob", prefix=b"X: y\r\n", ret="FULL", envid="e")
    queue.enqueue("carol")
    claimed = claim(queue.database, queue.hop)
    assert claimed is not None
    assert claimed.queue_id == first.queue_id
    assert [one.forward_path for one in claimed.recipients] == [
        f"ann@{queue.hop}",
        f"bob@{queue.hop}",
    ]
    assert (claimed.prefix, claimed.ret, claimed.envid) == (b"X: y\r\n", "FULL", "e")
    assert claimed.strays == {}


def test_what_is_claimed_is_claimed_by_nobody_else(queue: Queue) -> None:
    queue.enqueue()
    assert claim(queue.database, queue.hop) is not None
    assert claim(queue.database, queue.hop) is None


def test_nothing_is_claimed_before_it_is_due(queue: Queue) -> None:
    enqueued = queue.enqueue()
    queue.database.execute(
        "UPDATE transport_queuedrecipient SET next_attempt_at = now() + interval '1 min' WHERE message_id = %s",
        [enqueued.queue_id],
    )
    assert claim(queue.database, queue.hop) is None


def test_the_lease_of_a_dead_worker_is_taken_over(queue: Queue) -> None:
    queue.enqueue()
    dead = claim(queue.database, queue.hop)
    end_leases(queue.database, queue.hop)
    heir = claim(queue.database, queue.hop)
    assert dead is not None
    assert heir is not None
    assert renew(queue.database, [dead.token, heir.token]) == {heir.token}


def test_racing_workers_share_the_messages_and_repeat_none(queue: Queue) -> None:
    expected = {queue.enqueue().queue_id for _ in range(30)}
    claimed: list[int] = []
    start = threading.Barrier(4)

    def work() -> None:
        with connect() as db:
            start.wait()
            while (found := claim(db, queue.hop)) is not None:
                claimed.append(found.queue_id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(expected)


def test_enqueue_is_part_of_the_callers_transaction(queue: Queue) -> None:
    with queue.database.transaction(force_rollback=True):
        queue.enqueue()
    assert claim(queue.database, queue.hop) is None


def test_enqueue_names_each_next_hop_once(queue: Queue) -> None:
    local = QueueRecipient("x@us.test", is_local=True)
    enqueued = queue.enqueue("a", "b", "c@Other.test", local)
    assert enqueued.next_hops == (queue.hop, "other.test", "local:")


class TestLeases:
    """The keeper, with a clock of the test's own."""

    def test_a_fresh_lease_is_held_without_asking(self) -> None:
        def never() -> psycopg.Connection[tuple[object, ...]]:
            raise AssertionError("asked")

        keeper = LeaseKeeper(never, clock=lambda: 100.0)
        with keeper.keeping(uuid.uuid4(), 99.0) as lease:
            assert lease.is_held()

    def test_an_older_one_is_asked_for_and_renewed(self, queue: Queue) -> None:
        queue.enqueue()
        claimed = claim(queue.database, queue.hop)
        assert claimed is not None
        before = queue.database.execute(
            "SELECT lease_until FROM transport_queuedrecipient WHERE lease_token = %s",
            [claimed.token],
        ).fetchone()
        now = [100.0]
        keeper = LeaseKeeper(connect, clock=lambda: now[0])
        with keeper.keeping(claimed.token, 100.0) as lease:
            now[0] += LEASE_SECONDS / 2
            assert lease.is_held()
            assert lease.confirmed_at == now[0]
        after = queue.database.execute(
            "SELECT lease_until FROM transport_queuedrecipient WHERE lease_token = %s",
            [claimed.token],
        ).fetchone()
        assert before is not None
        assert after is not None
        assert after[0] > before[0]

    def test_one_that_another_took_is_lost(self, queue: Queue) -> None:
        queue.enqueue()
        claimed = claim(queue.database, queue.hop)
        assert claimed is not None
        end_leases(queue.database, queue.hop)
        assert claim(queue.database, queue.hop) is not None
        now = [100.0]
        keeper = LeaseKeeper(connect, clock=lambda: now[0])
        with keeper.keeping(claimed.token, 100.0) as lease:
            now[0] += 10
            assert not lease.is_held()
            assert lease.is_lost

    def test_without_a_database_it_is_held_until_it_must_have_ended(self) -> None:
        def away() -> psycopg.Connection[tuple[object, ...]]:
            raise psycopg.OperationalError("away")

        now = [100.0]
        keeper = LeaseKeeper(away, clock=lambda: now[0])
        with keeper.keeping(uuid.uuid4(), 100.0) as lease:
            now[0] += LEASE_SECONDS / 2
            assert lease.is_held()
            now[0] += LEASE_SECONDS / 2
            assert not lease.is_held()

    def test_the_thread_renews_while_a_socket_waits(
        self, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("transport.queue.leases.RENEW_SECONDS", 0.02)
        monkeypatch.setattr("transport.queue.leases.FRESH_SECONDS", 0.01)
        queue.enqueue()
        claimed = claim(queue.database, queue.hop)
        assert claimed is not None
        renewed = threading.Event()
        keeper = LeaseKeeper(connect)
        original = keeper.renew_now

        def renew_now(leases: list[object]) -> None:
            original(leases)  # type: ignore[arg-type]
            renewed.set()

        keeper.renew_now = renew_now  # type: ignore[method-assign,assignment]
        asked_at = time.monotonic()
        with keeper.keeping(claimed.token, asked_at) as lease:
            assert renewed.wait(10)
            assert lease.confirmed_at > asked_at


def test_the_same_content_is_stored_once(queue: Queue) -> None:
    content = uuid.uuid4().bytes
    ids = [queue.enqueue(content=content).queue_id for _ in range(2)]
    row = queue.database.execute(
        "SELECT count(DISTINCT blob_id) FROM transport_queuedmessage WHERE id = ANY(%s)", [ids]
    ).fetchone()
    assert row == (1,)
