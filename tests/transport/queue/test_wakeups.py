"""Wake-ups: coalesced, never in the way, lost without harm."""

import os
import threading

from transport.queue import wakeups
from transport.queue.wakeups import Wakeups


class Broker:
    """Takes what is published; may be held, may fail."""

    def __init__(self) -> None:
        self.published: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.called = threading.Semaphore(0)

    def publish(self, next_hops: list[str]) -> None:
        self.published.append(next_hops)
        self.called.release()
        self.gate.wait(10)
        if self.error is not None:
            raise self.error


def test_wakes_of_one_moment_leave_together_each_once() -> None:
    broker = Broker()
    waker = Wakeups(broker.publish)
    for hop in ("b.test", "a.test", "b.test"):
        waker.wake([hop])
    assert broker.called.acquire(timeout=10)
    assert broker.published == [["a.test", "b.test"]]


def test_a_broker_that_blocks_holds_nobody_up() -> None:
    broker = Broker()
    broker.gate.clear()
    waker = Wakeups(broker.publish)
    waker.wake(["a.test"])
    assert broker.called.acquire(timeout=10)
    for _ in range(1000):
        waker.wake(["b.test"])
    broker.gate.set()
    assert broker.called.acquire(timeout=10)
    assert broker.published == [["a.test"], ["b.test"]]


def test_a_broker_that_fails_is_asked_again_later() -> None:
    wakeups_pause, wakeups.PAUSE_SECONDS = wakeups.PAUSE_SECONDS, 0.01
    try:
        broker = Broker()
        broker.error = ConnectionError("refused")
        waker = Wakeups(broker.publish)
        waker.wake(["a.test"])
        assert broker.called.acquire(timeout=10)
        broker.error = None
        while not broker.called.acquire(timeout=0.05):
            waker.wake(["b.test"])
        assert broker.published[-1] == ["b.test"]
    finally:
        wakeups.PAUSE_SECONDS = wakeups_pause


def test_a_forked_child_has_a_thread_of_its_own() -> None:
    broker = Broker()
    waker = Wakeups(broker.publish)
    waker.wake(["parent.test"])
    assert broker.called.acquire(timeout=10)
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        child = Broker()
        waker._publish = child.publish
        waker.wake(["child.test"])
        child.called.acquire(timeout=10)
        os.write(writer, repr(child.published).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reader, 1000) == b"[['child.test']]"
    os.close(reader)
    os.close(writer)


def test_nothing_to_wake_starts_nothing() -> None:
    broker = Broker()
    Wakeups(broker.publish).wake([])
    assert not broker.called.acquire(timeout=0.1)
