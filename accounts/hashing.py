"""Checks slow password hashes: two at a time, behind bounded queues that are fair by source.

One argon2 check takes 0.2 s of CPU and 100 MB. Two threads a process do them; sources take turns, so that one
that sends thousands of passwords delays itself and nobody else. Who tries an account from a network where it has logged
in before has a queue of its own, which gets three turns of four: strangers, however many, cannot starve those who are
known. What does not fit is refused at once (TooBusy), as a failure of our own.
"""

import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from typing import Any, TypeVar

from django.contrib.auth.hashers import make_password
from django.contrib.auth.hashers import verify_password as verify_hash

THREADS = 2
LONGEST_QUEUE = 200
LONGEST_QUEUE_OF_KNOWN = 1000
LONGEST_QUEUE_PER_SOURCE = 10
STRANGERS_TURN = 4
"""When both wait, every fourth turn is a stranger's."""

T = TypeVar("T")
_Job = tuple[Callable[[], Any], Future[Any]]


class TooBusy(Exception):
    """The queue of checks is full; try again later."""


class _Round:
    """Jobs of many sources, each of which gives one job in its turn."""

    def __init__(self, longest: int, longest_per_source: int) -> None:
        self._longest = longest
        self._longest_per_source = longest_per_source
        self._waiting: OrderedDict[str, deque[_Job]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, source: str, job: _Job) -> None:
        jobs = self._waiting.get(source, ())
        if self._count >= self._longest or len(jobs) >= self._longest_per_source:
            raise TooBusy("too many passwords wait to be checked")
        self._waiting.setdefault(source, deque()).append(job)
        self._count += 1

    def next(self) -> _Job:
        source, jobs = self._waiting.popitem(last=False)
        job = jobs.popleft()
        if jobs:
            self._waiting[source] = jobs  # to the end of the round
        self._count -= 1
        return job


class FairQueue:
    """Two rounds of jobs, of known sources and of strangers, in a few threads."""

    def __init__(
        self,
        threads: int = THREADS,
        longest: int = LONGEST_QUEUE,
        longest_per_source: int = LONGEST_QUEUE_PER_SOURCE,
        longest_of_known: int = LONGEST_QUEUE_OF_KNOWN,
    ) -> None:
        self._thread_limit = threads
        self._strangers = _Round(longest, longest_per_source)
        self._known = _Round(longest_of_known, longest_per_source)
        self._turn = 0
        self._running = 0
        self._lock = threading.Lock()

    def submit(self, source: str, job: Callable[[], T], *, is_known: bool = False) -> Future[T]:
        """Run the job when the source's turn comes; raises TooBusy."""
        future: Future[T] = Future()
        with self._lock:
            (self._known if is_known else self._strangers).add(source, (job, future))
            if self._running < self._thread_limit:
                self._running += 1
                threading.Thread(target=self._work, name="hash", daemon=True).start()
        return future

    def _next(self) -> _Job | None:
        with self._lock:
            self._turn += 1
            if self._known and not (self._strangers and self._turn % STRANGERS_TURN == 0):
                return self._known.next()
            if self._strangers:
                return self._strangers.next()
            self._running -= 1
            return None

    def _work(self) -> None:
        """A thread lives while there is work: argon2's memory goes back, and a fork finds no thread."""
        while (work := self._next()) is not None:
            job, future = work
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(job())
            except BaseException as error:
                future.set_exception(error)


def in_turn(source: str, job: Callable[[], T], *, is_known: bool = False) -> Future[T]:
    """Run a job that hashes, when the source's turn comes; raises TooBusy."""
    return _QUEUE.submit(source, job, is_known=is_known)


def matches_hash(password: str, encoded: str) -> bool:
    """Whether the password is the one of the encoded hash. It takes its time also when `encoded` is ""."""
    is_correct, _must_update = verify_hash(password, encoded or dummy_hash())
    return is_correct and bool(encoded)


@cache
def dummy_hash() -> str:
    """A hash of nobody's password: checking it takes as long as checking somebody's."""
    return make_password(os.urandom(16).hex())


_QUEUE = FairQueue()


def _renew_after_fork() -> None:
    global _QUEUE
    _QUEUE = FairQueue()


os.register_at_fork(after_in_child=_renew_after_fork)
