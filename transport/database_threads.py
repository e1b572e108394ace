"""The bridge from async code to the database; short questions have another (`questions`).

A protocol command makes one hop: `await database.run(service, *arguments)` runs `service(connection, *arguments)`
in one of a bounded number of threads, on that thread's raw psycopg connection. Connections are in autocommit: a
service of one statement commits with it, a service of several opens `connection.transaction()`. Lanes keep long work
(search, fetch of much, copy) from holding up short work, and both from holding up what is written aside.

A thread connects when it first has work, which is after the fork: connections do not survive one.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
from django.db import connections

SHORT_THREADS = 6
LONG_THREADS = 3
ASIDE_THREADS = 1
STATEMENT_TIMEOUT_SECONDS = 60
LOCK_TIMEOUT_SECONDS = 5
HANG_SECONDS = 60
"""A process that hangs, or a host that is gone, within a transaction holds a mailbox's turn no longer than that."""
CONNECT_SECONDS = 10.0
"""How long a service waits for a database that is not there."""
RETRY_SECONDS = 0.2
PREPARED_MAXIMUM = 500
"""More statements than there are: psycopg keeps 100 a connection."""
IDLE_SECONDS = 300.0
"""After that a thread without work gives up its connection."""

Connection = psycopg.Connection[tuple[Any, ...]]
P = ParamSpec("P")
T = TypeVar("T")
Job = tuple["asyncio.Future[Any]", Callable[[Connection], Any]]


class DatabaseThreads:
    """Threads and connections of one process. All methods belong to one event loop."""

    def __init__(self, short: int = SHORT_THREADS, long: int = LONG_THREADS) -> None:
        self._short = _Lane(short, "db-short")
        self._long = _Lane(long, "db-long")
        self._aside = _Lane(ASIDE_THREADS, "db-aside")

    def close(self) -> None:
        """Wait for what runs, then close every connection."""
        for lane in (self._short, self._long, self._aside):
            lane.close()

    async def run(
        self,
        service: Callable[Concatenate[Connection, P], T],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> T:
        """Run a short service and return what it returns; its exceptions come through."""
        return await self._short.run(_bound(service, arguments, keywords))

    async def run_long(
        self,
        service: Callable[Concatenate[Connection, P], T],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> T:
        """The same in the lane for long work."""
        return await self._long.run(_bound(service, arguments, keywords))

    async def run_aside(
        self,
        service: Callable[Concatenate[Connection, P], T],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> T:
        """The same for what no client waits for, one after the other: hints, the trace. It takes no lock that lasts."""
        return await self._aside.run(_bound(service, arguments, keywords))


class _Lane:
    """Threads of one kind; the one that worked last works next, whose caches and whose server's are warm.

    A hop costs a third of what concurrent.futures and asyncio's wrapping of it take. What is idle and what waits is
    known to the event loop alone, so that no lock is needed.
    """

    def __init__(self, threads: int, name: str) -> None:
        self._limit = threads
        self._name = name
        self._workers: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._waiting: deque[Job] = deque()
        self._is_closing = threading.Event()

    def run(self, call: Callable[[Connection], T]) -> "asyncio.Future[T]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        job = (future, call)
        if self._idle:
            self._idle.pop().jobs.put(job)
        elif len(self._workers) < self._limit:
            worker = _Worker(
                f"{self._name}-{len(self._workers)}",
                lambda *outcome: loop.call_soon_threadsafe(self._finished, *outcome),
                self._is_closing,
            )
            self._workers.append(worker)
            worker.jobs.put(job)
        else:
            self._waiting.append(job)
        return future

    def close(self) -> None:
        self._is_closing.set()
        if self._workers:
            for job in self._waiting:
                self._workers[0].jobs.put(job)
        for worker in self._workers:
            worker.jobs.put(None)
        for worker in self._workers:
            worker.thread.join()
        self._workers.clear()
        self._idle.clear()

    def _finished(
        self,
        worker: "_Worker",
        future: "asyncio.Future[Any]",
        result: Any,
        error: BaseException | None,
    ) -> None:
        if self._waiting:
            worker.jobs.put(self._waiting.popleft())
        else:
            self._idle.append(worker)
        if future.done():  # cancelled: nobody waits any more
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


class _Worker:
    """One thread, and its connection."""

    def __init__(
        self, name: str, finished: Callable[..., object], is_closing: threading.Event
    ) -> None:
        self.jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._finished = finished
        self._is_closing = is_closing
        self._connection: Connection | None = None
        self.thread = threading.Thread(target=self._work, name=name, daemon=True)
        self.thread.start()

    def _work(self) -> None:
        while (job := self._next_job()) is not None:
            future, call = job
            result: Any = None
            error: BaseException | None = None
            try:
                if not future.cancelled():
                    result = call(self._connected())
            except BaseException as raised:
                error = raised
            try:
                self._finished(self, future, result, error)
            except RuntimeError:  # the loop is closed: the process ends
                break
            del job, future, call, result, error  # what was large is not kept while idle
        self._disconnect()

    def _next_job(self) -> Job | None:
        while True:
            try:
                return self.jobs.get(timeout=IDLE_SECONDS if self._connection else None)
            except Empty:
                self._disconnect()

    def _connected(self) -> Connection:
        """A connection that is ready for a service. Raises psycopg.OperationalError."""
        if self._connection is not None:
            if self._is_ready(self._connection):
                return self._connection
            self._disconnect()
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                self._connection = connect()
                break
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._is_closing.wait(RETRY_SECONDS):
                    raise
        return self._connection

    def _is_ready(self, connection: Connection) -> bool:
        """Whether the server is still there, and no service has left a transaction open.

        A restarted PostgreSQL has hung up since the last use: its last words come before its end, so that two looks
        find it. They ask nothing of the server, and keep the interpreter's lock, which to wait for costs more.
        """
        pgconn = connection.pgconn
        try:
            pgconn.consume_input()
            pgconn.consume_input()
        except psycopg.Error:
            return False
        return pgconn.transaction_status == psycopg.pq.TransactionStatus.IDLE

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def connection_string() -> str:
    """libpq's connection string of Django's default database."""
    database = connections.databases["default"]
    parameters = {
        "host": database.get("HOST"),
        "port": database.get("PORT"),
        "dbname": database["NAME"],
        "user": database.get("USER"),
        "password": database.get("PASSWORD"),
        **{k: v for k, v in database.get("OPTIONS", {}).items() if isinstance(v, str)},
    }
    return psycopg.conninfo.make_conninfo(**{k: v for k, v in parameters.items() if v})


def _bound(
    service: Callable[..., T], arguments: tuple[Any, ...], keywords: dict[str, Any]
) -> Callable[[Connection], T]:
    return lambda connection: service(connection, *arguments, **keywords)


def connect() -> Connection:
    """A connection as services have it. Raises psycopg.OperationalError."""
    connection = psycopg.connect(connection_string(), autocommit=True, prepare_threshold=0)
    connection.prepared_max = PREPARED_MAXIMUM
    connection.execute(
        f"SET statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s';"
        f"SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s';"
        f"SET idle_in_transaction_session_timeout = '{HANG_SECONDS}s';"
        "SET timezone = 'UTC'",
        prepare=False,
    )
    return connection
