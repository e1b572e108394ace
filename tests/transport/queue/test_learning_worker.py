"""A real Celery worker learns what users taught, told by a real broker."""

import time
from collections.abc import Callable
from typing import Any

import psycopg

from tests.transport.queue.test_workers import SECONDS, Workers, workers
from tests.transport.test_spam_training import Learner

__all__ = ["workers"]


def test_a_worker_learns_what_was_moved_into_spam(
    database: psycopg.Connection[Any], make_user: Callable[..., Any], workers: Workers
) -> None:
    learner = Learner(database, make_user())
    for number in range(3):
        learner.move("INBOX", learner.receive(f"cheap {number}"), "\\Junk")
    workers.start()
    workers.call("tasks.learn_spam.delay()")
    deadline = time.monotonic() + SECONDS
    while learner.waiting():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert learner.totals() == learner.totals(of_domain=True) == (3, 0)
