"""Hears a channel of PostgreSQL's NOTIFY for as long as the process lives, through lost connections."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

import psycopg

from transport.database_threads import connection_string

RECONNECT_SECONDS = 1.0

logger = logging.getLogger(__name__)


async def hear_for_ever(
    channel: str,
    heard: Callable[[bytes], None],
    *,
    connected: Callable[[], Awaitable[None]],
    lost: Callable[[], None],
) -> None:
    """Call `heard` with each payload; `connected` when hearing begins, `lost` when it has ended, until cancelled."""
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(
                connection_string(), autocommit=True
            ) as connection:
                await connection.execute(f"LISTEN {channel}")
                await connected()
                await _hear(connection.pgconn, heard)
        except Exception as error:
            logger.warning("%s is not heard: %s", channel, error)
        lost()
        await asyncio.sleep(RECONNECT_SECONDS)


async def _hear(pgconn: psycopg.pq.abc.PGconn, heard: Callable[[bytes], None]) -> None:
    """Hear until the server hangs up: OperationalError. To wait by psycopg for each costs many times as much."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    descriptor = pgconn.socket

    def read() -> None:
        try:
            pgconn.consume_input()
        except psycopg.Error as error:
            loop.remove_reader(descriptor)
            ended.set_exception(error)
            return
        while (notice := pgconn.notifies()) is not None:
            heard(notice.extra)

    loop.add_reader(descriptor, read)
    try:
        await ended
    finally:
        loop.remove_reader(descriptor)
