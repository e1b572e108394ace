"""Statements sent by libpq directly."""

import threading
import time
from typing import Any

import psycopg
import pytest

from accounts.mailstore.prepared import Prepared, rows_after, rows_before
from tests.round_trips import counted

Database = psycopg.Connection[Any]

ECHO = Prepared("SELECT %b, %b, %b, now()", int, str, bytes)
DIVIDE = Prepared("SELECT 6 / %b", int)
NAP = Prepared("SELECT pg_sleep(0.3), %b", int)
INVERSE = b"SELECT 6 / $1::bigint"


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


def test_two_go_in_one_round_trip(database: Database) -> None:
    assert rows_after(database, DIVIDE, [1], INVERSE, [2]) == [(3,)]
    with counted(database) as counts:
        assert rows_after(database, DIVIDE, [1], INVERSE, [3]) == [(2,)]
    assert counts == [1]


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0)])
def test_an_error_of_either_is_told_and_the_connection_goes_on(
    database: Database, first: int, second: int
) -> None:
    rows_after(database, DIVIDE, [1], INVERSE, [1])
    with pytest.raises(psycopg.errors.DivisionByZero):
        rows_after(database, DIVIDE, [first], INVERSE, [second])
    assert rows_after(database, DIVIDE, [1], INVERSE, [3]) == [(2,)]


def test_both_are_one_transaction(database: Database) -> None:
    database.execute("CREATE TEMPORARY TABLE made (n bigint CHECK (n > 0))")
    make = Prepared("INSERT INTO made VALUES (%b) RETURNING n", int)
    also = b"INSERT INTO made VALUES ($1) RETURNING (SELECT count(*) FROM made)"
    for value, seen in ((1, 1), (2, 3)):
        assert rows_after(database, make, [value], also, [value]) == [(seen,)]
    with pytest.raises(psycopg.errors.CheckViolation):
        rows_after(database, make, [3], also, [0])
    assert database.execute("SELECT count(*) FROM made").fetchone() == (4,)


def test_one_goes_before_another_in_one_round_trip_and_transaction(database: Database) -> None:
    database.execute("CREATE TEMPORARY TABLE kept (n bigint CHECK (n > 0))")
    keep = b"INSERT INTO kept VALUES ($1) RETURNING n"
    also = Prepared(
        "INSERT INTO kept SELECT %b WHERE EXISTS (SELECT FROM kept WHERE n = %b) RETURNING 1",
        int,
        int,
    )
    assert rows_before(database, keep, [1], also, [2, 1]) == [(1,)]  # not prepared yet
    with counted(database) as counts:
        assert rows_before(database, keep, [3], also, [4, 3]) == [(3,)]
    assert counts == [1]
    for value, last in ((5, 0), (0, 5)):
        with pytest.raises(psycopg.errors.CheckViolation):
            rows_before(database, keep, [value], also, [last, value])
    rows_before(database, keep, [6], also, [7, 8])
    assert database.execute("SELECT array_agg(n ORDER BY n) FROM kept").fetchone() == (
        [1, 2, 3, 4, 6],
    )


def test_other_threads_run_while_two_wait(database: Database) -> None:
    rows_after(database, NAP, [1], INVERSE, [1])
    thread = threading.Thread(target=rows_after, args=(database, NAP, [1], INVERSE, [1]))
    thread.start()
    turns = 0
    while thread.is_alive():
        time.sleep(0.001)
        turns += 1
    thread.join()
    assert turns > 10


def test_a_connection_that_is_lost_between_two_is_an_operational_error(database: Database) -> None:
    nap = Prepared("SELECT pg_sleep(%b)", int)
    with psycopg.connect(database.info.dsn, autocommit=True) as lost:
        rows_after(lost, nap, [0], INVERSE, [1])
        end = threading.Timer(
            0.1, database.execute, ["SELECT pg_terminate_backend(%s)", [lost.info.backend_pid]]
        )
        end.start()
        with pytest.raises(psycopg.OperationalError):
            rows_after(lost, nap, [10], INVERSE, [1])
        end.join()


def test_what_the_socket_does_not_take_at_once_is_sent_too(database: Database) -> None:
    """Both ways: the answer of the first waits to be read while the second is still being sent."""
    large = b"x" * 8_000_000
    statement = b"SELECT $1::bytea"
    for _ in range(2):  # the second time in one trip
        assert rows_before(database, statement, [large], ECHO, [1, "", large]) == [(large,)]
        assert rows_after(database, ECHO, [1, "", large], statement, [large]) == [(large,)]
