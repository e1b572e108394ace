"""Races made sure to happen: what changes while a service waits for its owner's turn."""

import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from accounts.mailstore.locking import TURN, take_turn
from accounts.mailstore.values import MailboxId

Database = psycopg.Connection[Any]
SECONDS = 20

_WAITING = """
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32) + objid::bigint = %s)
"""


def run_while_changing(
    database: Database,
    owner: MailboxId,
    service: Callable[[Database], object],
    change: Callable[[Database], object],
) -> None:
    """`service` waits for the owner's turn, which `change` has; then it goes on. Raises what it raises."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with psycopg.connect(database.info.dsn, autocommit=True) as db:
                service(db)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    with psycopg.connect(database.info.dsn, autocommit=True) as other, other.transaction():
        take_turn(other, owner)
        thread.start()
        deadline = time.monotonic() + SECONDS
        while database.execute(_WAITING, [TURN + owner]).fetchone() != (True,):
            assert failed == []
            assert time.monotonic() < deadline
            time.sleep(0.01)
        change(other)
    thread.join()
    if failed:
        raise failed[0]
