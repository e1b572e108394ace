"""Statements sent by libpq directly."""

import threading
import time
from typing import Any

import psycopg
import pytest

from accounts.mailstore.prepared import Prepared

Database = psycopg.Connection[Any]

ECHO = Prepared("SELECT %b, %b, %b, now()", int, str, bytes)
DIVIDE = Prepared("SELECT 6 / %b", int)
NAP = Prepared("SELECT pg_sleep(0.3), %b", int)


def server_side(database: Database) -> list[tuple[str, int]]:
    rows = database.execute(
        "SELECT statement, generic_plans + custom_plans FROM pg_prepared_statements"
    )
    return [(text, runs) for text, runs in rows.fetchall() if "6 / $1" in text]


def test_values_come_back(database: Database) -> None:
    for _ in range(3):
        row = ECHO.row(database, -1, "é", b"\0")
        assert row is not None
        assert row[:3] == (-1, "é", b"\0")
        assert row[3].utcoffset().total_seconds() == 0


def test_the_second_time_psycopg_is_passed_by(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ECHO.row(database, 1, "a", b"b")
    monkeypatch.delattr(psycopg.Connection, "execute")
    row = ECHO.row(database, 70_000, "é", b"")
    assert row is not None
    assert row[:3] == (70_000, "é", b"")


def test_it_is_prepared_once_whatever_the_value(database: Database) -> None:
    for value in (1, 70_000, 2**40):
        DIVIDE.row(database, value)
    assert server_side(database) == [("SELECT 6 / $1", 3)]


def test_an_error_is_psycopgs_and_the_connection_goes_on(database: Database) -> None:
    assert DIVIDE.row(database, 3) == (2,)
    with pytest.raises(psycopg.errors.DivisionByZero):
        DIVIDE.row(database, 0)
    assert DIVIDE.row(database, 2) == (3,)


def test_it_is_part_of_the_transaction_and_outlives_a_rollback(database: Database) -> None:
    DIVIDE.row(database, 1)
    with database.transaction(force_rollback=True):
        with pytest.raises(psycopg.errors.DivisionByZero):
            DIVIDE.row(database, 0)
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            DIVIDE.row(database, 1)
    with database.transaction():
        assert DIVIDE.row(database, 1) == (6,)
    assert DIVIDE.row(database, 2) == (3,)


def test_other_threads_run_meanwhile(database: Database) -> None:
    NAP.row(database, 1)
    thread = threading.Thread(target=NAP.row, args=(database, 1))
    thread.start()
    turns = 0
    while thread.is_alive():
        time.sleep(0.001)
        turns += 1
    thread.join()
    assert turns > 10


def test_a_lost_connection_is_an_operational_error(database: Database) -> None:
    DIVIDE.row(database, 1)
    row = database.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    with psycopg.connect(database.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", row)
    with pytest.raises(psycopg.OperationalError):
        DIVIDE.row(database, 1)
