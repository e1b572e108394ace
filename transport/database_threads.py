"""The one bridge from async code to the database.

A protocol command makes one hop: `await database.run(service, *arguments)` runs `service(connection, *arguments)`
in a thread of a bounded pool, on a raw psycopg connection that goes back to the pool when the service returns.
Connections are in autocommit: a service of one statement commits with it, a service of several opens
`connection.transaction()`. Two lanes keep long work (search, fetch of much, copy) from holding up short work.
The pool is opened by `open`, after the fork: connections do not survive one.
"""

import asyncio
import select
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
from django.db import connections
from psycopg_pool import ConnectionPool

SHORT_THREADS = 6
LONG_THREADS = 3
STATEMENT_TIMEOUT_SECONDS = 60
LOCK_TIMEOUT_SECONDS = 5

Connection = psycopg.Connection[tuple[Any, ...]]
P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThreads:
    """Threads and connections of one process."""

    def __init__(self, short: int = SHORT_THREADS, long: int = LONG_THREADS) -> None:
        self._lanes = {
            False: ThreadPoolExecutor(short, thread_name_prefix="db-short"),
            True: ThreadPoolExecutor(long, thread_name_prefix="db-long"),
        }
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            connection_string(),
            min_size=1,
            max_size=short + long,
            open=False,
            kwargs={"autocommit": True, "prepare_threshold": 0},
            configure=_configure,
            check=_check,
            timeout=10,
        )

    def open(self) -> None:
        """Connect; call it in the process that will use it."""
        self._pool.open()

    def close(self) -> None:
        """Wait for what runs, then close every connection."""
        for lane in self._lanes.values():
            lane.shutdown(wait=True)
        self._pool.close()

    async def run(
        self,
        service: Callable[Concatenate[Connection, P], T],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> T:
        """Run a short service and return what it returns; its exceptions come through."""
        return await self._hop(False, service, *arguments, **keywords)

    async def run_long(
        self,
        service: Callable[Concatenate[Connection, P], T],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> T:
        """The same in the lane for long work."""
        return await self._hop(True, service, *arguments, **keywords)

    async def _hop(
        self,
        is_long: bool,
        service: Callable[Concatenate[Connection, P], T],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> T:
        def call() -> T:
            with self._pool.connection() as connection:
                return service(connection, *arguments, **keywords)

        return await asyncio.get_running_loop().run_in_executor(self._lanes[is_long], call)


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


def _configure(connection: Connection) -> None:
    connection.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s'")
    connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
    connection.execute("SET timezone = 'UTC'")


def _check(connection: Connection) -> None:
    """Raise if the server has hung up since the last use, as a restarted PostgreSQL has: the pool takes another.

    It looks at the socket only, and asks nothing of the server.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    while poll.poll(0):  # its last words come before its end
        connection.pgconn.consume_input()
        if connection.pgconn.status != psycopg.pq.ConnStatus.OK:
            raise psycopg.OperationalError("the server has closed the connection")
