"""Addresses that could not be reached a moment ago, so that not every message waits for the same time-out."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from transport.queue.outcomes import Outcome

REMEMBERED_SECONDS = 60.0
ENTRIES = 10_000


class UnreachableHosts:
    """Bounded; one a process, shared by its threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[tuple[str, int], tuple[float, Outcome]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, address: str, port: int) -> Outcome | None:
        """What the last try came to, if it failed and was not long ago."""
        with self._lock:
            entry = self._known.get((address, port))
            if entry is None:
                return None
            if entry[0] <= self._clock():
                del self._known[address, port]
                return None
            return entry[1]

    def remember(self, address: str, port: int, outcome: Outcome) -> None:
        with self._lock:
            self._known[address, port] = (self._clock() + REMEMBERED_SECONDS, outcome)
            self._known.move_to_end((address, port))
            while len(self._known) > ENTRIES:
                self._known.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._known.clear()
