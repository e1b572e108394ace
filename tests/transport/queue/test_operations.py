"""What an administrator does to the queue, also to what is being sent at this moment."""

import threading
from collections.abc import Callable, Iterator

import pytest

from tests.transport.queue.conftest import Queue
from transport.database_threads import Connection
from transport.queue.claim import ALL_HOPS, claim, renew
from transport.queue.enqueue import Enqueued, QueueRecipient
from transport.queue.operations import (
    delete,
    hold,
    pause,
    release,
    resume,
    return_to_sender,
    try_now,
)
from transport.queue.sweep import due_hops, prune_finished


def ids(queue: Queue, enqueued: Enqueued) -> list[int]:
    return [row["id"] for row in queue.rows(enqueued)]


def state(queue: Queue, enqueued: Enqueued) -> str:
    [row] = queue.rows(enqueued)
    return str(row["state"])


def while_sending(queue: Queue, stage: str, action: Callable[[], object]) -> None:
    """Do it while the peer lets a worker wait for its answer to `stage`."""
    gate = queue.peer.hold(stage)
    thread = threading.Thread(target=queue.drain)
    thread.start()
    try:
        queue.peer.wait_for_stage(stage)
        action()
    finally:
        gate.set()
        thread.join()


@pytest.fixture
def everything_paused(database: Connection) -> Iterator[None]:
    pause(database, ALL_HOPS)
    yield
    database.execute("DELETE FROM transport_destination WHERE next_hop = %s", [ALL_HOPS])


def test_what_is_held_is_not_tried_until_it_is_released(queue: Queue) -> None:
    enqueued = queue.enqueue("ann", "bob")
    ann, bob = ids(queue, enqueued)
    assert hold(queue.database, [ann]).ids == {ann}
    assert hold(queue.database, [ann]).ids == frozenset()
    queue.drain()
    assert queue.states(enqueued) == {"ann": ("held", ""), "bob": ("delivered", "2.0.0")}
    assert queue.hop not in due_hops(queue.database)
    changed = release(queue.database, [ann, bob])
    assert (changed.ids, changed.next_hops) == ({ann}, {queue.hop})
    queue.drain()
    assert queue.states(enqueued)["ann"] == ("delivered", "2.0.0")


def test_try_now_leaves_what_is_held(queue: Queue) -> None:
    enqueued = queue.enqueue()
    hold(queue.database, ids(queue, enqueued))
    assert try_now(queue.database, ids(queue, enqueued)).ids == frozenset()


def test_what_is_held_for_days_is_kept(queue: Queue) -> None:
    enqueued = queue.enqueue()
    hold(queue.database, ids(queue, enqueued))
    queue.age(enqueued, "10 days")
    prune_finished(queue.database)
    assert state(queue, enqueued) == "held"


@pytest.mark.parametrize("action", [hold, delete])
def test_a_lease_is_lost_once_one_of_its_rows_is_taken_away(
    queue: Queue, action: Callable[[Connection, list[int]], object]
) -> None:
    enqueued = queue.enqueue("ann", "bob")
    claimed = claim(queue.database, queue.hop)
    assert claimed is not None
    assert renew(queue.database, [claimed.token]) == {claimed.token}
    action(queue.database, ids(queue, enqueued)[:1])
    assert renew(queue.database, [claimed.token]) == set()
    assert claim(queue.database, queue.hop) is None


@pytest.mark.parametrize("action", [hold, delete])
def test_before_the_dot_nothing_is_sent_any_more(
    queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
    action: Callable[[Connection, list[int]], object],
) -> None:
    monkeypatch.setattr("transport.queue.leases.FRESH_SECONDS", 0.0)
    enqueued = queue.enqueue()
    while_sending(queue, "MAIL", lambda: action(queue.database, ids(queue, enqueued)))
    assert queue.peer.messages == []
    assert state(queue, enqueued) in ("held", "cancelled")


@pytest.mark.parametrize("action", [hold, delete])
def test_after_the_dot_what_the_peer_took_is_delivered(
    queue: Queue, action: Callable[[Connection, list[int]], object]
) -> None:
    enqueued = queue.enqueue()
    while_sending(queue, ".", lambda: action(queue.database, ids(queue, enqueued)))
    assert queue.states(enqueued) == {"bob": ("delivered", "2.0.0")}
    assert [event[1] for event in queue.trace(enqueued)] == ["delivered"]


def test_what_is_held_and_released_after_the_dot_is_sent_once(queue: Queue) -> None:
    enqueued = queue.enqueue()

    def hold_and_release() -> None:
        hold(queue.database, ids(queue, enqueued))
        release(queue.database, ids(queue, enqueued))
        queue.drain()

    while_sending(queue, ".", hold_and_release)
    queue.drain()
    assert len(queue.peer.messages) == 1
    assert state(queue, enqueued) == "delivered"


@pytest.mark.parametrize(
    ("action", "reply", "expected"),
    [
        (hold, "451 4.3.0 later", "held"),
        (hold, "550 5.7.1 no", "failed"),
        (delete, "451 4.3.0 later", "cancelled"),
        (delete, "550 5.7.1 no", "cancelled"),
    ],
)
def test_after_the_dot_a_refusal_is_recorded(
    queue: Queue,
    action: Callable[[Connection, list[int]], object],
    reply: str,
    expected: str,
) -> None:
    queue.peer.reply(".", reply)
    enqueued = queue.enqueue()
    while_sending(queue, ".", lambda: action(queue.database, ids(queue, enqueued)))
    [row] = queue.rows(enqueued)
    assert (row["state"], row["last_reply"]) == (expected, reply)
    assert (row["finished_at"] is None) == (expected == "held")


def test_what_is_being_sent_is_not_returned(queue: Queue) -> None:
    enqueued = queue.enqueue()
    while_sending(queue, ".", lambda: return_to_sender(queue.database, ids(queue, enqueued)))
    assert state(queue, enqueued) == "delivered"


def test_what_is_held_is_returned_and_deleted(queue: Queue) -> None:
    returned, deleted = queue.enqueue(), queue.enqueue()
    for enqueued in (returned, deleted):
        hold(queue.database, ids(queue, enqueued))
    assert return_to_sender(queue.database, ids(queue, returned)).ids == set(ids(queue, returned))
    assert delete(queue.database, ids(queue, deleted)).ids == set(ids(queue, deleted))
    assert (state(queue, returned), state(queue, deleted)) == ("failed", "cancelled")


def test_a_paused_next_hop_waits_until_it_is_resumed(queue: Queue) -> None:
    enqueued = queue.enqueue()
    assert pause(queue.database, queue.hop) is True
    assert pause(queue.database, queue.hop) is False
    assert queue.hop not in due_hops(queue.database)
    queue.drain()
    assert state(queue, enqueued) == "waiting"
    assert resume(queue.database, queue.hop).next_hops == {queue.hop}
    assert queue.hop in due_hops(queue.database)
    queue.drain()
    assert state(queue, enqueued) == "delivered"


def test_a_pause_lets_the_message_that_is_being_sent_through(queue: Queue) -> None:
    first, second = queue.enqueue(), queue.enqueue()
    while_sending(queue, ".", lambda: pause(queue.database, queue.hop))
    assert (state(queue, first), state(queue, second)) == ("delivered", "waiting")


@pytest.mark.usefixtures("everything_paused")
def test_a_pause_of_all_keeps_what_goes_outside(queue: Queue) -> None:
    enqueued = queue.enqueue("bob", QueueRecipient("x@us.test", is_local=True))
    assert claim(queue.database, queue.hop) is None
    hops = due_hops(queue.database)
    assert queue.hop not in hops
    assert "local:" in hops
    assert queue.hop in resume(queue.database, ALL_HOPS).next_hops
    assert claim(queue.database, queue.hop) is not None
    delete(queue.database, ids(queue, enqueued))
