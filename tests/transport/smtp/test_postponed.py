"""What is written later is written, whoever else is writing and however the writing ends."""

import asyncio
import contextlib
import threading

import psycopg
import pytest

from accounts.journal.acceptances import Acceptance, first_trace_id, remember
from tests.factories import unique
from transport.database_threads import DatabaseThreads
from transport.smtp import postponed as module
from transport.smtp.postponed import Postponed

SECONDS = 10


@pytest.fixture
def fingerprint(database) -> bytes:
    """Of a transaction that was accepted."""
    fingerprint = unique("f").encode().ljust(32)
    remember(database, Acceptance(fingerprint, "first"))
    return fingerprint


def test_who_flushes_waits_for_a_batch_that_is_under_way(database, fingerprint) -> None:
    """Otherwise a second message of the same bytes would be taken for the first, and answered 250."""
    go_on = threading.Event()

    async def main() -> None:
        threads = DatabaseThreads()
        postponed = Postponed(threads)
        before = asyncio.create_task(threads.run_aside(lambda _: go_on.wait(SECONDS)))
        await asyncio.sleep(0)
        postponed.heard(fingerprint)
        first = asyncio.create_task(postponed.flush())
        await asyncio.sleep(0)
        second = asyncio.create_task(postponed.flush())
        done, _ = await asyncio.wait([second], timeout=0.1)
        go_on.set()
        await asyncio.gather(before, first, second)
        threads.close()
        assert not done

    asyncio.run(main())
    assert first_trace_id(database, fingerprint) is None


def test_a_batch_that_fails_is_written_with_the_next(database, fingerprint, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise psycopg.OperationalError("the database is away")

    async def main() -> None:
        threads = DatabaseThreads()
        postponed = Postponed(threads)
        postponed.heard(fingerprint)
        with monkeypatch.context() as patch:
            patch.setattr(module, "forget", fail)
            await postponed.flush()
        await postponed.flush()
        threads.close()

    asyncio.run(main())
    assert first_trace_id(database, fingerprint) is None


def test_a_batch_is_written_though_the_writer_is_ended(database, fingerprint) -> None:
    go_on = threading.Event()

    async def main() -> None:
        threads = DatabaseThreads()
        postponed = Postponed(threads)
        before = asyncio.create_task(threads.run_aside(lambda _: go_on.wait(SECONDS)))
        await asyncio.sleep(0)
        postponed.heard(fingerprint)
        writer = asyncio.create_task(postponed.flush())
        await asyncio.sleep(0.01)
        writer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writer
        go_on.set()
        await before
        threads.close()

    asyncio.run(main())
    assert first_trace_id(database, fingerprint) is None
