"""How many connections each worker process holds, in memory that the workers share.

The kernel wakes every process that waits on a listening socket, and one that is quick by habit would take most. Who
holds more than another lets the other have the next connection for a moment (`transport.tls_transport`).
"""

import mmap


class WorkerLoads:
    """Made by the parent; each worker counts in a place of its own."""

    def __init__(self, workers: int) -> None:
        self._counts = memoryview(mmap.mmap(-1, 8 * workers)).cast("q")
        self._own = 0

    def begin(self, worker: int) -> None:
        """From now on, count for this worker (from 0), which has none."""
        self._own = worker
        self._counts[worker] = 0

    def add(self, connections: int) -> None:
        self._counts[self._own] += connections

    @property
    def is_ahead(self) -> bool:
        """Whether another worker holds fewer."""
        return self._counts[self._own] > min(self._counts)


_current = WorkerLoads(1)


def share(workers: int) -> WorkerLoads:
    """In the parent, before the workers are forked."""
    global _current
    _current = WorkerLoads(workers)
    return _current


def current() -> WorkerLoads:
    """In a worker: the loads that the parent shared, or those of a process that is alone."""
    return _current
