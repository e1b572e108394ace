"""Checks slow password hashes: two at a time, behind a bounded queue that is fair by source.

One argon2 check takes 0.2 s of CPU and 100 MB. Two threads a process do them; sources take turns, so that one
that sends thousands of passwords delays itself and nobody else. What does not fit is refused at once (TooBusy),
as a failure of our own.
"""

import os
import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache, partial

from django.contrib.auth.hashers import make_password
from django.contrib.auth.hashers import verify_password as verify_hash

THREADS = 2
LONGEST_QUEUE = 200
LONGEST_QUEUE_PER_SOURCE = 10


class TooBusy(Exception):
    """The queue of checks is full; try again later."""


class FairQueue:
    """Jobs of many sources in a few threads: each source in turn gives one job."""

    def __init__(
        self,
        threads: int = THREADS,
        longest: int = LONGEST_QUEUE,
        longest_per_source: int = LONGEST_QUEUE_PER_SOURCE,
    ) -> None:
        self._thread_limit = threads
        self._longest = longest
        self._longest_per_source = longest_per_source
        self._waiting: OrderedDict[str, deque[tuple[Callable[[], bool], Future[bool]]]] = (
            OrderedDict()
        )
        self._count = 0
        self._running = 0
        self._lock = threading.Lock()

    def submit(self, source: str, job: Callable[[], bool]) -> Future[bool]:
        """Run the job when the source's turn comes; raises TooBusy."""
        future: Future[bool] = Future()
        with self._lock:
            jobs = self._waiting.get(source)
            waiting = len(jobs) if jobs else 0
            if self._count >= self._longest or waiting >= self._longest_per_source:
                raise TooBusy("too many passwords wait to be checked")
            self._waiting.setdefault(source, deque()).append((job, future))
            self._count += 1
            if self._running < self._thread_limit:
                self._running += 1
                threading.Thread(target=self._work, name="hash", daemon=True).start()
        return future

    def _next(self) -> tuple[Callable[[], bool], Future[bool]] | None:
        with self._lock:
            if not self._waiting:
                self._running -= 1
                return None
            source, jobs = self._waiting.popitem(last=False)
            job = jobs.popleft()
            if jobs:
                self._waiting[source] = jobs  # to the end of the round
            self._count -= 1
            return job

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


def check_hash(source: str, password: str, encoded: str) -> Future[bool]:
    """Whether the password is the one of the encoded hash, in its turn; raises TooBusy."""
    return _QUEUE.submit(source, partial(_matches, password, encoded))


def _matches(password: str, encoded: str) -> bool:
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
