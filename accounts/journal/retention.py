"""How long the journals are kept: a row is deleted in batches once it is old."""

from typing import Any

import psycopg

EVENT_DAYS = 120
TRACE_DAYS = 60
BATCH = 5000

_TABLES = {"mail_event": EVENT_DAYS, "trace_event": TRACE_DAYS}


def trim_journals(db: psycopg.Connection[Any]) -> int:
    """Delete what is too old; how many rows."""
    return sum(_trim(db, table, days) for table, days in _TABLES.items())


def _trim(db: psycopg.Connection[Any], table: str, days: int) -> int:
    total = 0
    while True:
        count = db.execute(
            f"""
            DELETE FROM {table} WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM {table} WHERE at < now() - make_interval(days => %s) LIMIT %s))
            """,
            [days, BATCH],
        ).rowcount
        total += count
        if count < BATCH:
            return total
