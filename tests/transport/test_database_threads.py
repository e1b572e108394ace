"""The hop from the event loop to the database: order, errors, cancellation, lost connections, the end."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import psycopg
import pytest
import uvloop

from transport.database_threads import SHORT_THREADS, Connection, DatabaseThreads

pytestmark = pytest.mark.usefixtures("database")

SECONDS = 10


def run(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


def add(db: Connection, one: int, *, other: int) -> int:
    row = db.execute("SELECT %s::int + %s::int", [one, other]).fetchone()
    assert row is not None
    return int(row[0])


def backend(db: Connection) -> int:
    return db.info.backend_pid


def wait_for(db: Connection, event: threading.Event) -> None:
    assert event.wait(SECONDS)


def test_a_service_returns_what_it_returns_and_raises_what_it_raises() -> None:
    async def main() -> None:
        threads = DatabaseThreads()
        for lane in (threads.run, threads.run_long, threads.run_aside):
            assert await lane(add, 1, other=2) == 3
        with pytest.raises(psycopg.errors.DivisionByZero):
            await threads.run(lambda db: db.execute("SELECT 1/0"))
        assert await threads.run(add, 1, other=2) == 3
        threads.close()

    run(main())


def test_one_after_the_other_uses_one_connection() -> None:
    async def main() -> None:
        threads = DatabaseThreads()
        assert len({await threads.run(backend) for _ in range(5)}) == 1
        threads.close()

    run(main())


def test_more_than_there_are_threads_wait_in_order() -> None:
    async def main() -> None:
        threads = DatabaseThreads()
        gate = threading.Event()
        holding = [threads.run(wait_for, gate) for _ in range(SHORT_THREADS)]
        tasks = [asyncio.ensure_future(one) for one in holding]
        await asyncio.sleep(0)
        order: list[int] = []

        async def late(number: int) -> None:
            await threads.run(add, number, other=0)
            order.append(number)

        waiting = [asyncio.create_task(late(number)) for number in range(3)]
        assert await threads.run_long(add, 1, other=1) == 2  # another lane is not held up
        assert not order
        gate.set()
        await asyncio.gather(*tasks, *waiting)
        assert sorted(order) == [0, 1, 2]
        threads.close()

    run(main())


def test_a_cancelled_wait_leaves_the_thread_to_the_next() -> None:
    async def main() -> None:
        threads = DatabaseThreads(short=1)
        gate = threading.Event()
        first = asyncio.ensure_future(threads.run(wait_for, gate))
        never = asyncio.ensure_future(threads.run(add, 0, other=0))
        await asyncio.sleep(0)
        first.cancel()
        never.cancel()
        gate.set()
        assert await threads.run(add, 2, other=2) == 4
        threads.close()

    run(main())


def test_a_connection_that_was_cut_is_made_again() -> None:
    async def main() -> None:
        threads = DatabaseThreads()
        cut = await threads.run(backend)
        await threads.run_long(
            lambda db: db.execute("SELECT pg_terminate_backend(%s, 5000)", [cut])
        )
        assert await threads.run(backend) != cut
        threads.close()

    run(main())


def test_a_transaction_left_open_is_not_the_next_service_s() -> None:
    async def main() -> None:
        threads = DatabaseThreads(short=1)
        careless = await threads.run(lambda db: (db.execute("BEGIN"), backend(db))[1])
        assert await threads.run(backend) != careless
        threads.close()

    run(main())


def test_who_hangs_within_a_transaction_loses_its_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transport.database_threads.HANG_SECONDS", 1)
    has_lock, goes_on = threading.Event(), threading.Event()

    def take_lock(db: Connection) -> None:
        db.execute("SELECT pg_advisory_xact_lock(4711)")

    def hang(db: Connection) -> None:
        with db.transaction():
            take_lock(db)
            has_lock.set()
            wait_for(db, goes_on)
            take_lock(db)

    async def main() -> None:
        threads = DatabaseThreads()
        hanging = asyncio.create_task(threads.run(hang))
        assert await asyncio.to_thread(has_lock.wait, SECONDS)
        await threads.run(take_lock)
        goes_on.set()
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            await hanging
        assert await threads.run(add, 1, other=2) == 3
        threads.close()

    run(main())


def test_the_end_waits_for_what_runs_and_what_waits() -> None:
    done: list[int] = []

    async def main() -> None:
        threads = DatabaseThreads(short=1)
        gate = threading.Event()
        running = [asyncio.ensure_future(threads.run(wait_for, gate))]
        running += [
            asyncio.ensure_future(threads.run(lambda db, n=n: done.append(n))) for n in range(3)
        ]
        await asyncio.sleep(0)
        gate.set()
        threads.close()
        assert done == [0, 1, 2]

    run(main())
