"""Tells other processes that a folder changed (RFC 2177 needs it), by PostgreSQL's NOTIFY.

One `Notifier` a process, with connections of its own: NOTIFY inside the transaction that changes a folder would
serialise all commits, so folder ids are handed over after the commit and sent in batches every few milliseconds.
A hint is never truth: after a reconnect and every `RECONCILE_SECONDS` the notifier compares the highest modseq of
each watched folder with what it last saw, and calls the watchers of those that moved.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable

import psycopg

from accounts.mailstore.changes import current_modseqs
from accounts.mailstore.values import FolderId, MailboxId
from transport.database_threads import Connection, DatabaseThreads
from transport.hearing import hear_for_ever

CHANNEL = "mail_folder"
FLUSH_SECONDS = 0.025  # after a flush; the first hint after a silence goes out at once
RECONCILE_SECONDS = 30.0
RETRY_SECONDS = 1.0
IDS_A_PAYLOAD = 350  # 20 digits and a comma each stay below NOTIFY's 8000 bytes
PENDING_MAXIMUM = 100_000  # while the database is away; past it the reconciliation finds the rest

logger = logging.getLogger(__name__)

Callback = Callable[[], None]


class Watch:
    """One watcher of one folder; `close` ends it."""

    __slots__ = ("_notifier", "callback", "folder_id", "owner")

    def __init__(
        self, notifier: "Notifier", owner: MailboxId, folder_id: FolderId, callback: Callback
    ) -> None:
        self._notifier = notifier
        self.owner = owner
        self.folder_id = folder_id
        self.callback = callback

    def close(self) -> None:
        self._notifier.forget(self)


class Notifier:
    """Sends and hears hints. All methods belong to the event loop that `open` ran on."""

    def __init__(self, database: DatabaseThreads, *, listen: bool = True) -> None:
        """`listen=False` is for a process that only publishes (SMTP)."""
        self._database = database
        self._listen = listen
        self._pending: set[FolderId] = set()
        self._watches: dict[FolderId, set[Watch]] = {}
        self._seen: dict[tuple[MailboxId, FolderId], int] = {}
        self._wake = asyncio.Event()
        self._listening = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Start the background tasks; returns once hints are heard, or the database is not there."""
        self._tasks.append(asyncio.create_task(self._send_for_ever()))
        if self._listen:
            hearing = hear_for_ever(
                CHANNEL, self._take, connected=self._begin, lost=self._listening.clear
            )
            self._tasks.append(asyncio.create_task(hearing))
            self._tasks.append(asyncio.create_task(self._reconcile_for_ever()))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._listening.wait(), 5)

    async def close(self) -> None:
        """Send what is pending, then stop."""
        if self._pending:
            with contextlib.suppress(psycopg.Error, OSError, TimeoutError):
                await asyncio.wait_for(self._flush(), 2)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def publish(self, folder_ids: Iterable[FolderId]) -> None:
        """Tell every process that these folders changed. Call it after the commit; it never blocks."""
        if len(self._pending) < PENDING_MAXIMUM:
            self._pending.update(folder_ids)
        if self._pending:
            self._wake.set()

    def watch(self, owner: MailboxId, folder_id: FolderId, callback: Callback) -> Watch:
        """Have `callback()` called on the loop whenever the folder may have changed."""
        watch = Watch(self, owner, folder_id, callback)
        self._watches.setdefault(folder_id, set()).add(watch)
        return watch

    def forget(self, watch: Watch) -> None:
        watches = self._watches.get(watch.folder_id)
        if watches is None:
            return
        watches.discard(watch)
        if not watches:
            del self._watches[watch.folder_id]
            self._seen.pop((watch.owner, watch.folder_id), None)

    def _heard(self, folder_id: FolderId) -> None:
        for watch in tuple(self._watches.get(folder_id, ())):
            try:
                watch.callback()
            except Exception:
                logger.exception("a watcher of folder %s failed", folder_id)

    async def _send_for_ever(self) -> None:
        while True:
            await self._wake.wait()
            try:
                await self._flush()
            except Exception as error:
                logger.warning("hints cannot be sent: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(FLUSH_SECONDS)

    async def _flush(self) -> None:
        self._wake.clear()
        ids = tuple(self._pending)
        self._pending.clear()
        try:
            await self._database.run_aside(publish_now, ids)
        except BaseException:
            self.publish(ids)
            raise

    async def _begin(self) -> None:
        self._listening.set()
        await self.reconcile()

    def _take(self, payload: bytes) -> None:
        for folder_id in payload.split(b","):
            self._heard(FolderId(int(folder_id)))

    async def _reconcile_for_ever(self) -> None:
        while True:
            await asyncio.sleep(RECONCILE_SECONDS)
            try:
                await self.reconcile()
            except Exception as error:
                logger.warning("watched folders could not be compared: %s", error)

    async def reconcile(self) -> None:
        """Call the watchers of each folder whose highest modseq is not the one last seen."""
        watched = list({(w.owner, w.folder_id) for group in self._watches.values() for w in group})
        if not watched:
            return
        current = await self._database.run(current_modseqs, watched)
        for key in watched:
            modseq = current.get(
                key[1], -1
            )  # -1: the folder is gone, which a watcher must hear too
            # A negative number stands for a mailbox, whose watchers look for themselves (RFC 5465).
            has_moved = self._seen.get(key) != modseq or key[1] < 0
            if has_moved and key[1] in self._watches:
                self._seen[key] = modseq
                self._heard(key[1])


def publish_now(db: Connection, folder_ids: Iterable[FolderId]) -> None:
    """The same hint from synchronous code (Celery workers, commands). Call it after the commit."""
    ids = tuple(dict.fromkeys(folder_ids))
    for start in range(0, len(ids), IDS_A_PAYLOAD):
        payload = ",".join(map(str, ids[start : start + IDS_A_PAYLOAD]))
        db.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload), prepare=True)
