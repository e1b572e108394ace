"""Short questions from the event loop: their order, errors, cancellation, a lost connection, the end."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
import uvloop

from accounts.mailstore.prepared import Prepared
from transport.database_threads import DatabaseThreads
from transport.questions import Questions

pytestmark = pytest.mark.usefixtures("database")

ECHO = Prepared("SELECT %b, %b, %b", int, str, bytes)
DIVIDE = Prepared("SELECT 6 / %b", int)
BACKEND = Prepared("SELECT pg_backend_pid(), %b", int)
NAP = Prepared("SELECT pg_sleep(0.1), %b", int)


def run(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


@asynccontextmanager
async def asking() -> AsyncIterator[tuple[Questions, DatabaseThreads]]:
    """Questions that have their connection."""
    threads = DatabaseThreads()
    questions = Questions(threads)
    await connected(questions)
    yield questions, threads
    questions.close()
    threads.close()


async def connected(questions: Questions) -> None:
    await questions.rows(BACKEND, 0)
    connecting = questions._connecting
    if connecting is not None:
        await connecting


async def backend(questions: Questions) -> int:
    [(pid, _)] = await questions.rows(BACKEND, 0)
    return int(pid)


def test_values_come_back_and_the_threads_have_no_part_in_it() -> None:
    async def main() -> None:
        async with asking() as (questions, threads):
            threads.close()
            for _ in range(2):
                assert await questions.rows(ECHO, -1, "é", b"\0") == [(-1, "é", b"\0")]

    run(main())


def test_the_first_is_answered_by_a_thread_and_all_later_on_one_connection() -> None:
    async def main() -> None:
        threads = DatabaseThreads()
        questions = Questions(threads)
        assert await backend(questions) == await threads.run(lambda db: db.info.backend_pid)
        await connected(questions)
        pids = {await backend(questions) for _ in range(3)}
        assert len(pids) == 1
        assert pids != {await threads.run(lambda db: db.info.backend_pid)}
        questions.close()
        threads.close()

    run(main())


def test_many_are_under_way_at_once_and_each_gets_its_own_answer() -> None:
    async def main() -> None:
        async with asking() as (questions, _):
            slow = asyncio.create_task(questions.rows(NAP, 7))
            texts = [f"{number:0500}" for number in range(3000)]  # more than the sockets take
            answers = await asyncio.gather(*(questions.rows(ECHO, 1, t, b"") for t in texts))
            assert [row[1] for [row] in answers] == texts
            assert slow.done()

    run(main())


def test_an_error_is_its_own_askers_and_the_others_go_on() -> None:
    async def main() -> None:
        async with asking() as (questions, _):
            pid = await backend(questions)
            for _ in range(2):
                one, two, three = await asyncio.gather(
                    questions.rows(DIVIDE, 3),
                    questions.rows(DIVIDE, 0),
                    questions.rows(DIVIDE, 2),
                    return_exceptions=True,
                )
                assert (one, three) == ([(2,)], [(3,)])
                assert isinstance(two, psycopg.errors.DivisionByZero)
            assert await backend(questions) == pid

    run(main())


def test_what_cannot_be_sent_or_read_is_its_own_askers_too() -> None:
    infinite = Prepared("SELECT 'infinity'::date, %b", int)

    async def main() -> None:
        async with asking() as (questions, _):
            answers = await asyncio.gather(
                questions.rows(ECHO, 1, "a", b""),
                questions.rows(ECHO, 2, "\ud800", b""),
                questions.rows(infinite, 3),
                questions.rows(ECHO, 4, "b", b""),
                return_exceptions=True,
            )
            assert isinstance(answers[1], UnicodeEncodeError)
            assert isinstance(answers[2], psycopg.DataError)
            assert (answers[0], answers[3]) == ([(1, "a", b"")], [(4, "b", b"")])

    run(main())


def test_who_is_cancelled_keeps_nobody_from_an_answer() -> None:
    async def main() -> None:
        async with asking() as (questions, _):
            gone = asyncio.create_task(questions.rows(NAP, 1))
            left = asyncio.create_task(questions.rows(ECHO, 2, "", b""))
            await asyncio.sleep(0)
            gone.cancel()
            assert await left == [(2, "", b"")]
            assert gone.cancelled()

    run(main())


@pytest.mark.parametrize("is_idle", [True, False])
def test_a_lost_connection_is_made_anew_and_nobody_notices(
    database: psycopg.Connection[Any], is_idle: bool
) -> None:
    async def main() -> None:
        async with asking() as (questions, _):
            first = await backend(questions)
            waiting = [] if is_idle else [asyncio.create_task(questions.rows(NAP, 5))]
            await asyncio.sleep(0)
            await asyncio.to_thread(
                database.execute, "SELECT pg_terminate_backend(%s, 10000)", [first]
            )
            assert await questions.rows(ECHO, 1, "", b"") == [(1, "", b"")]
            for answer in waiting:
                assert [row[1] for row in await answer] == [5]
            await connected(questions)
            assert await backend(questions) != first

    run(main())


def test_at_the_end_who_waits_is_answered_by_a_thread() -> None:
    async def main() -> None:
        async with asking() as (questions, threads):
            waiting = asyncio.create_task(questions.rows(NAP, 1))
            await asyncio.sleep(0)
            questions.close()
            assert [row[1] for row in await waiting] == [1]
            assert await backend(questions) == await threads.run(lambda db: db.info.backend_pid)

    run(main())
