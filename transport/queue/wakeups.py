"""Tells the workers that something is due. A hint, never the truth: the rows are.

One daemon thread a process sends coalesced wake-ups to the broker. `wake` only adds to a set: it never blocks and
never fails, whatever the broker does. A lost wake-up costs at most one period of the sweep.
"""

import importlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable

GATHER_SECONDS = 0.02  # hops that are woken within this time leave together, each once
PAUSE_SECONDS = 5.0  # after the broker failed; what comes meanwhile is left to the sweep
PENDING_MAXIMUM = 10_000

log = logging.getLogger(__name__)
Publish = Callable[[list[str]], None]


class Wakeups:
    """The set and the thread of one process; it starts anew in a forked child."""

    def __init__(self, publish: Publish) -> None:
        """`publish` sends one task for each next hop; it may take seconds and may raise."""
        self._publish = publish
        self._pid = os.getpid()
        self._pending: set[str] = set()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None

    def wake(self, next_hops: Iterable[str]) -> None:
        """Have these next hops published soon; returns at once."""
        if self._pid != os.getpid():
            self._start_anew()
        with self._condition:
            if len(self._pending) < PENDING_MAXIMUM:
                self._pending.update(next_hops)
            if not self._pending:
                return
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="wakeups", daemon=True)
                self._thread.start()
            self._condition.notify()

    def _start_anew(self) -> None:
        """In a forked child: no thread came along, and the lock may be held by one that did not."""
        self._pid = os.getpid()
        self._pending = set()
        self._condition = threading.Condition()
        self._thread = None

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._pending)
            time.sleep(GATHER_SECONDS)
            with self._condition:
                next_hops = sorted(self._pending)
                self._pending.clear()
            try:
                self._publish(next_hops)
            except (
                Exception
            ) as error:  # whatever the broker's client raises: the rows are still there
                log.warning("wake-ups for %d next hops were not sent: %s", len(next_hops), error)
                time.sleep(PAUSE_SECONDS)
                with self._condition:
                    self._pending.clear()


def wake(next_hops: Iterable[str]) -> None:
    """Say that rows of these next hops are due. Call it after the commit; returns at once."""
    _wakeups.wake(next_hops)


def _publish_tasks(next_hops: list[str]) -> None:
    """By name, since only `tasks` knows Celery, and `tasks` imports this module."""
    importlib.import_module("transport.tasks").publish_drains(next_hops)


_wakeups = Wakeups(_publish_tasks)
