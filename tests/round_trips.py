"""Counts what a connection asks of PostgreSQL, by libpq's own trace of the protocol."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg


@contextmanager
def counted(db: psycopg.Connection[Any]) -> Iterator[list[int]]:
    """Within, round trips are counted; after it the list holds their number."""
    counts: list[int] = []
    with tempfile.TemporaryFile() as trace:
        db.pgconn.trace(trace.fileno())
        try:
            yield counts
        finally:
            db.pgconn.untrace()
        trace.seek(0)
        counts.append(trace.read().count(b"\tReadyForQuery\t"))
