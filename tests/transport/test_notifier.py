"""Hints across processes: coalesced, and never needed for truth."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import psycopg
import pytest
import uvloop

from accounts.mailstore.append import append_message
from accounts.mailstore.folders import open_folder
from accounts.mailstore.values import FolderId, FolderState, MailboxId, Placement, new_message
from tests.factories import MakeUser
from transport.database_threads import DatabaseThreads
from transport.notifier import Notifier, publish_now

SECONDS = 10


def run(main: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


@pytest.fixture
def inbox(make_user: MakeUser, database: psycopg.Connection[tuple[Any, ...]]) -> FolderState:
    return open_folder(database, MailboxId(make_user().mailbox.pk), "INBOX")


async def hear(notifier: Notifier, folder: FolderState) -> asyncio.Event:
    event = asyncio.Event()
    notifier.watch(folder.owner, folder.id, event.set)
    return event


def test_a_hint_reaches_watchers_of_its_folder_alone(
    inbox: FolderState, database: psycopg.Connection[tuple[Any, ...]]
) -> None:
    async def main() -> None:
        threads = DatabaseThreads()
        one, two = Notifier(threads, listen=False), Notifier(threads)
        await one.open()
        await two.open()
        heard = await hear(two, inbox)
        other = asyncio.Event()
        two.watch(inbox.owner, FolderId(inbox.id + 1_000_000), other.set)
        one.publish([inbox.id])
        await asyncio.wait_for(heard.wait(), SECONDS)
        heard.clear()
        publish_now(database, [inbox.id])
        await asyncio.wait_for(heard.wait(), SECONDS)
        assert not other.is_set()
        await one.close()
        await two.close()
        threads.close()

    run(main())


def test_what_was_missed_is_found_after_a_reconnect(
    inbox: FolderState, database: psycopg.Connection[tuple[Any, ...]]
) -> None:
    async def main() -> None:
        threads = DatabaseThreads()
        notifier = Notifier(threads)
        await notifier.open()
        heard = await hear(notifier, inbox)
        await notifier.reconcile()
        heard.clear()
        await notifier.reconcile()
        assert not heard.is_set()
        placement = Placement(inbox.owner, inbox.id)
        append_message(database, new_message(b"Subject: x\r\n\r\n"), [placement], cause="test")
        # No hint for that; and the connection that listens is cut.
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'"
        )
        await asyncio.wait_for(heard.wait(), SECONDS)
        heard.clear()
        notifier.publish([inbox.id])
        await asyncio.wait_for(heard.wait(), SECONDS)
        await notifier.close()
        threads.close()

    run(main())


def test_what_is_pending_is_sent_at_the_end(inbox: FolderState) -> None:
    async def main() -> None:
        threads = DatabaseThreads()
        one, two = Notifier(threads, listen=False), Notifier(threads)
        await one.open()
        await two.open()
        heard = await hear(two, inbox)
        one.publish([inbox.id])
        await one.close()
        await asyncio.wait_for(heard.wait(), SECONDS)
        await two.close()
        threads.close()

    run(main())
