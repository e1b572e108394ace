"""Keeps the leases of a worker process alive while its sockets live.

A thread renews them all every few seconds, also while a delivery waits ten minutes for the reply to its final dot.
Who is about to send asks `Lease.is_held`: a lease that was lost, or that could not be renewed, is not held.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg

from transport.database_threads import Connection
from transport.queue.claim import LEASE_SECONDS, renew

RENEW_SECONDS = LEASE_SECONDS / 3
FRESH_SECONDS = 5.0  # a lease confirmed this recently is not looked at again
MARGIN_SECONDS = 5.0

log = logging.getLogger(__name__)
Connect = Callable[[], AbstractContextManager[Connection]]


class Lease:
    """One token. `confirmed_at` is a reading of our clock before the database last confirmed it."""

    def __init__(self, keeper: "LeaseKeeper", token: uuid.UUID, confirmed_at: float) -> None:
        self.token = token
        self.is_lost = False
        self.confirmed_at = confirmed_at
        self._keeper = keeper

    def is_held(self) -> bool:
        """Whether nobody else can have the rows; asks the database unless it was asked just now."""
        if not self.is_lost and self._keeper.clock() - self.confirmed_at > FRESH_SECONDS:
            self._keeper.renew_now([self])
        expires = self.confirmed_at + LEASE_SECONDS - MARGIN_SECONDS
        return not self.is_lost and self._keeper.clock() < expires


class LeaseKeeper:
    """One a process. The thread starts with the first lease and ends when there is none."""

    def __init__(self, connect: Connect, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._connect = connect
        self._leases: dict[uuid.UUID, Lease] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def keeping(self, token: uuid.UUID, confirmed_at: float) -> Iterator[Lease]:
        """Keep a lease for the length of a block; `confirmed_at` was read from `clock` before the claim."""
        lease = Lease(self, token, confirmed_at)
        with self._lock:
            self._leases[token] = lease
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
                self._thread.start()
        try:
            yield lease
        finally:
            with self._lock:
                del self._leases[token]

    def renew_now(self, leases: list[Lease]) -> None:
        """Ask the database for these leases. When it cannot be reached they stay as they were."""
        asked_at = self.clock()
        try:
            with self._connect() as db:
                held = renew(db, [lease.token for lease in leases])
        except psycopg.Error as error:
            log.warning("leases could not be renewed: %s", error)
            return
        for lease in leases:
            if lease.token in held:
                lease.confirmed_at = asked_at
            else:
                lease.is_lost = True

    def _run(self) -> None:
        while True:
            time.sleep(RENEW_SECONDS)
            with self._lock:
                leases = list(self._leases.values())  # the lost too: their reply may be awaited
                if not self._leases:
                    self._thread = None
                    return
            due = [lease for lease in leases if self.clock() - lease.confirmed_at >= FRESH_SECONDS]
            if due:
                self.renew_now(due)
