"""The queue of password checks: bounded, and fair by source."""

import threading

import pytest

from accounts.hashing import FairQueue, TooBusy, matches_hash


def test_at_most_two_run_at_a_time_and_sources_take_turns() -> None:
    queue = FairQueue(threads=2, longest=100, longest_per_source=50)
    gate, order = threading.Event(), []
    running, most, lock = 0, 0, threading.Lock()
    both_run = threading.Semaphore(0)

    def blocked() -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        both_run.release()
        gate.wait(10)
        with lock:
            running -= 1
        return True

    blockers = [queue.submit("greedy", blocked) for _ in range(2)]
    both_run.acquire(timeout=10)
    both_run.acquire(timeout=10)

    def note(source: str) -> bool:
        with lock:
            order.append(source)
        return True

    greedy = [queue.submit("greedy", lambda: note("greedy")) for _ in range(40)]
    modest = queue.submit("modest", lambda: note("modest"))
    gate.set()
    for future in [*blockers, *greedy, modest]:
        assert future.result(10)
    assert most == 2
    assert "modest" in order[:4]


def test_a_source_that_fills_its_share_is_refused_and_others_are_not() -> None:
    queue = FairQueue(threads=1, longest=10, longest_per_source=3)
    gate = threading.Event()
    started = threading.Event()

    def block() -> bool:
        started.set()
        return gate.wait(10)

    first = queue.submit("greedy", block)
    assert started.wait(10)
    waiting = [queue.submit("greedy", lambda: True) for _ in range(3)]
    with pytest.raises(TooBusy):
        queue.submit("greedy", lambda: True)
    other = queue.submit("other", lambda: True)
    gate.set()
    assert all(future.result(10) for future in [first, *waiting, other])


def test_an_exception_is_the_future_s_and_the_next_job_runs() -> None:
    queue = FairQueue(threads=1)

    def fail() -> bool:
        raise OSError("no memory")

    failing = queue.submit("a", fail)
    with pytest.raises(OSError, match="no memory"):
        failing.result(10)
    assert queue.submit("a", lambda: True).result(10)


def test_the_hash_of_nobody_matches_nothing() -> None:
    assert matches_hash("", "") is False


def test_strangers_however_many_do_not_starve_who_is_known_nor_the_other_way_round() -> None:
    queue = FairQueue(threads=1, longest=200, longest_per_source=50)
    gate, started, order = threading.Event(), threading.Event(), []

    def block() -> bool:
        started.set()
        return gate.wait(10)

    jobs = [queue.submit("first", block)]
    assert started.wait(10)
    for number in range(200):  # a botnet, which fills the strangers' queue
        jobs.append(queue.submit(f"bot {number}", lambda: bool(order.append("bot")) or True))
    with pytest.raises(TooBusy):
        queue.submit("one more bot", lambda: True)
    for number in range(30):
        jobs.append(
            queue.submit(
                f"home {number}", lambda: bool(order.append("home")) or True, is_known=True
            )
        )
    gate.set()
    assert all(future.result(10) for future in jobs)
    assert order[:40].count("home") == 30
    assert order[:40].count("bot") == 10
