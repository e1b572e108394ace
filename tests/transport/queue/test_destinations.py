"""Next hops that are down are remembered for all processes, and tried again by themselves."""

from datetime import timedelta

import pytest

from tests.transport.queue.conftest import Queue
from transport.queue.destinations import recall, remember
from transport.queue.operations import hold, release, try_now
from transport.queue.outcomes import permanent, temporary
from transport.queue.sweep import prune_finished


@pytest.fixture
def down(queue: Queue) -> Queue:
    """A next hop that closed on the one who tried."""
    queue.peer.reply("CONNECT", "421 4.3.2 closed")
    queue.enqueue("first")
    queue.drain()
    queue.peer.reply("CONNECT")
    queue.worker.outside.unreachable.forget()  # as another process, which never saw it
    return queue


def let_pass(queue: Queue) -> None:
    """As if the time had come to try again."""
    queue.database.execute(
        "UPDATE transport_destination SET down_until = now() - interval '1 s' WHERE next_hop = %s",
        [queue.hop],
    )


def seconds_left(queue: Queue) -> timedelta:
    row = queue.database.execute(
        "SELECT down_until - clock_timestamp() FROM transport_destination WHERE next_hop = %s",
        [queue.hop],
    ).fetchone()
    assert row is not None
    left = row[0]
    assert isinstance(left, timedelta)
    return left


def test_another_process_puts_off_without_trying(down: Queue) -> None:
    sent = [down.enqueue() for _ in range(3)]
    down.drain()
    assert down.peer.connections == 1
    for one in sent:
        [row] = down.rows(one)
        assert (row["state"], row["last_status"]) == ("waiting", "4.3.2")
        assert row["last_reply"].startswith("421 4.3.2 closed (not tried again before ")
        assert timedelta(minutes=4) < row["delay"] < timedelta(minutes=6)


def test_it_is_tried_again_when_the_time_has_passed_and_forgotten_when_it_answers(
    down: Queue,
) -> None:
    let_pass(down)
    enqueued = down.enqueue()
    down.drain()
    assert down.states(enqueued) == {"bob": ("delivered", "2.0.0")}
    assert recall(down.database, down.hop) is None


def test_the_time_doubles_while_it_stays_down_and_only_once_a_probe(queue: Queue) -> None:
    failure = temporary("4.4.1", "no answer", "mx.test")
    for _ in range(2):
        remember(queue.database, queue.hop, failure)
    assert timedelta(seconds=50) < seconds_left(queue) <= timedelta(seconds=60)
    let_pass(queue)
    remember(queue.database, queue.hop, failure)
    assert timedelta(seconds=110) < seconds_left(queue) <= timedelta(seconds=120)
    for _ in range(12):
        let_pass(queue)
        remember(queue.database, queue.hop, failure)
    assert seconds_left(queue) <= timedelta(seconds=900)


def test_what_fails_for_good_is_not_remembered(queue: Queue) -> None:
    remember(queue.database, queue.hop, permanent("5.1.2", "no such domain"))
    assert recall(queue.database, queue.hop) is None


def test_try_now_tries_also_what_was_down(down: Queue) -> None:
    enqueued = down.enqueue()
    try_now(down.database, [row["id"] for row in down.rows(enqueued)])
    down.drain()
    assert down.states(enqueued) == {"bob": ("delivered", "2.0.0")}


def test_what_is_released_is_tried_also_where_it_was_down(down: Queue) -> None:
    enqueued = down.enqueue()
    ids = [row["id"] for row in down.rows(enqueued)]
    hold(down.database, ids)
    release(down.database, ids)
    down.drain()
    assert down.states(enqueued) == {"bob": ("delivered", "2.0.0")}


def test_what_was_down_long_ago_leaves_no_row(down: Queue) -> None:
    down.database.execute(
        "UPDATE transport_destination SET down_until = now() - interval '2 days' WHERE next_hop = %s",
        [down.hop],
    )
    prune_finished(down.database)
    assert down.database.execute(
        "SELECT count(*) FROM transport_destination WHERE next_hop = %s", [down.hop]
    ).fetchone() == (0,)
