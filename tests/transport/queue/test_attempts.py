"""Attempts that were made, read back."""

from tests.transport.queue.conftest import Queue
from transport.queue.attempts import attempts_of


def test_every_attempt_is_told_the_oldest_first(queue: Queue) -> None:
    queue.peer.reply("RCPT", "451 4.7.1 greylisted", "250 ok")
    enqueued = queue.enqueue("bob")
    queue.drain()
    queue.make_due(enqueued)
    queue.drain()
    first, second = attempts_of(queue.database, enqueued.queue_id)
    assert (first.number, first.result, first.stage, first.status, first.reply) == (
        1,
        "deferred",
        "RCPT",
        "4.7.1",
        "451 4.7.1 greylisted",
    )
    assert (second.number, second.result, second.recipient) == (2, "delivered", f"bob@{queue.hop}")
    assert (second.host, second.address, second.tls) == (f"mx.{queue.hop}", "127.0.0.1", "")


def test_attempts_of_another_message_are_not_told(queue: Queue) -> None:
    queue.enqueue("ann", trace_id="shared")
    other = queue.enqueue("bob", trace_id="shared")
    queue.drain()
    assert [one.recipient for one in attempts_of(queue.database, other.queue_id)] == [
        f"bob@{queue.hop}"
    ]


def test_hosts_that_were_tried_in_vain_are_told_too(queue: Queue) -> None:
    queue.dns.add(queue.hop, "MX", f"5 dead.{queue.hop}.")
    queue.dns.add(f"dead.{queue.hop}", "A", "127.0.0.3")
    enqueued = queue.enqueue()
    queue.drain()
    [attempt] = attempts_of(queue.database, enqueued.queue_id)
    assert (attempt.result, attempt.host) == ("delivered", f"mx.{queue.hop}")
    [dead] = attempt.failed
    assert (dead.address, dead.host, dead.stage) == ("127.0.0.3", f"dead.{queue.hop}", "connect")
