"""The database connections of a worker process: a pool that outlives a restart of the database."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from transport.database_threads import Connection, connection_string

CONNECTIONS = 24
STATEMENT_TIMEOUT_SECONDS = 30
PATIENCE_SECONDS = 60.0

T = TypeVar("T")
_lock = threading.Lock()
_pool: ConnectionPool[Connection] | None = None


def connect() -> AbstractContextManager[Connection]:
    """A connection in autocommit for the length of a block. Raises psycopg.OperationalError."""
    global _pool
    with _lock:
        if _pool is None:
            _pool = ConnectionPool(
                connection_string(),
                min_size=1,
                max_size=CONNECTIONS,
                open=True,
                kwargs={"autocommit": True, "prepare_threshold": 0},
                configure=_configure,
                check=ConnectionPool.check_connection,
                timeout=10,
                name="queue",
            )
    return _pool.connection()


def connect_for_long() -> AbstractContextManager[Connection]:
    """A connection of its own, whose statements may scan large tables. Raises psycopg.OperationalError."""
    connection = psycopg.connect(connection_string(), autocommit=True)
    connection.execute(
        "SET statement_timeout = '1h'; SET lock_timeout = '60s'; SET timezone = 'UTC'"
    )
    return connection


def insist(
    connect: Callable[[], AbstractContextManager[Connection]], service: Callable[[Connection], T]
) -> T:
    """Run a service that may be repeated, again and again while the database is away, for a minute.

    What was sent must be written down, or it is sent twice.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    pause = 0.25
    while True:
        try:
            with connect() as db:
                return service(db)
        except (psycopg.OperationalError, PoolTimeout):
            if time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
        pause = min(pause * 2, 5.0)


def _configure(connection: Connection) -> None:
    connection.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s'")
    connection.execute("SET lock_timeout = '10s'")
    connection.execute("SET timezone = 'UTC'")
