"""Many writers on the same folders: no deadlock, nothing lost, and a reader that follows the changes sees it all."""

import contextlib
import random
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg.errors import DeadlockDetected

from accounts.mailstore.append import append_message, append_messages
from accounts.mailstore.changes import changes_since, snapshot
from accounts.mailstore.flags import store_flags
from accounts.mailstore.folders import create_folder, delete_folder, list_folders, rename_folder
from accounts.mailstore.moving import copy_messages, expunge, move_messages
from accounts.mailstore.quota import quota_of
from accounts.mailstore.sweep import sweep_blobs, sweep_messages
from accounts.mailstore.values import (
    FolderExists,
    FolderHasChildren,
    FolderId,
    FolderNameInvalid,
    MailboxId,
    NewMessage,
    NoSuchFolder,
    OverQuota,
    Placement,
    Uid,
)
from tests.accounts.conftest import MakeMailbox
from tests.accounts.mailstore_messages import deliver, some_message

Database = psycopg.Connection[Any]
EXPECTED = (NoSuchFolder, FolderExists, FolderHasChildren, FolderNameInvalid, OverQuota)


class Writer:
    """Random work on shared mailboxes; each step is one service."""

    def __init__(self, db: Database, seed: int, owners: list[MailboxId], shared: list[NewMessage]):
        self.db = db
        self.random = random.Random(seed)
        self.owners = owners
        self.shared = shared

    def step(self) -> None:
        work = [self.append] * 4 + [self.append_two, self.flags, self.flags, self.copy]
        work += [self.move, self.move, self.expunge, self.tree, self.sweep]
        with contextlib.suppress(*EXPECTED):
            self.random.choice(work)()

    def append(self) -> None:
        owners = self.random.sample(self.owners, self.random.randint(1, len(self.owners)))
        places = [
            Placement(owner, special_use=self.random.choice(["", "\\Junk"])) for owner in owners
        ]
        flags = self.random.sample(["\\Seen", "\\Deleted", "a", "b", "c"], 2)
        places.append(Placement(owners[0], self.folder(owners[0]), flags=tuple(flags)))
        append_message(self.db, self.message(), places, cause="test")

    def append_two(self) -> None:
        owner = self.random.choice(self.owners)
        folder = self.folder(owner)
        pairs = [(self.message(), Placement(owner, folder)) for _ in range(2)]
        append_messages(self.db, pairs, cause="test")

    def flags(self) -> None:
        owner, folder, uids = self.some()
        mode: Any = self.random.choice(["add", "remove", "replace"])
        flags = tuple(self.random.sample(["\\Seen", "\\Deleted", "$Junk", "NonJunk", "x"], 2))
        store_flags(self.db, owner, folder, uids, mode, flags)

    def copy(self) -> None:
        owner, folder, uids = self.some()
        copy_messages(self.db, owner, folder, uids, self.folder(owner))

    def move(self) -> None:
        owner, folder, uids = self.some()
        move_messages(self.db, owner, folder, uids, self.folder(owner))

    def expunge(self) -> None:
        owner, folder, uids = self.some()
        expunge(self.db, owner, folder, uids if self.random.random() < 0.5 else None)

    def tree(self) -> None:
        owner = self.random.choice(self.owners)
        name, other = self.random.sample(["p", "q", "p/r", "q/s", "INBOX"], 2)
        if self.random.random() < 0.4:
            create_folder(self.db, owner, name)
        elif name != "INBOX" and self.random.random() < 0.4:
            delete_folder(self.db, owner, name)
        else:
            rename_folder(self.db, owner, name, other)

    def sweep(self) -> None:
        sweep_messages(self.db, 0)
        sweep_blobs(self.db, 0)

    def message(self) -> NewMessage:
        return self.random.choice(self.shared) if self.random.random() < 0.5 else some_message()

    def folder(self, owner: MailboxId) -> FolderId:
        return self.random.choice(list_folders(self.db, owner)).id

    def some(self) -> tuple[MailboxId, FolderId, list[Uid]]:
        owner = self.random.choice(self.owners)
        folder = self.folder(owner)
        uids = list(snapshot(self.db, owner, folder).uids)
        return owner, folder, self.random.sample(uids, min(len(uids), 8))


def run_threads(database: Database, bodies: list[Callable[[Database], None]]) -> None:
    """Each body in a thread with a connection of its own; the first failure is raised."""
    failures: list[BaseException] = []

    def run(body: Callable[[Database], None]) -> None:
        try:
            with psycopg.connect(database.info.dsn, autocommit=True) as db:
                db.execute("SET lock_timeout = '20s'")
                db.execute("SET deadlock_timeout = '50ms'")
                body(db)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=[body]) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.mark.parametrize("seed", range(3))
def test_writers_do_not_get_in_each_others_way(
    database: Database, make_mailbox: MakeMailbox, seed: int
) -> None:
    owners = [make_mailbox(), make_mailbox(), make_mailbox(quota_bytes=20_000)]
    shared = [some_message() for _ in range(3)]

    def writer(number: int) -> Callable[[Database], None]:
        def body(db: Database) -> None:
            work = Writer(db, seed * 100 + number, owners, shared)
            for _ in range(60):
                work.step()

        return body

    run_threads(database, [writer(number) for number in range(6)])
    assert quota_of(database, owners[2]).used_bytes <= 20_000


def test_a_reader_that_follows_changes_sees_what_a_fresh_reader_sees(
    database: Database, mailbox: MailboxId
) -> None:
    folder = list_folders(database, mailbox)[0].id
    done = threading.Event()
    running = [4]
    lock = threading.Lock()
    views: list[dict[int, tuple[int, int]]] = []

    def writer(number: int) -> Callable[[Database], None]:
        def body(db: Database) -> None:
            pick = random.Random(number)
            try:
                for _ in range(60):
                    deliver(db, mailbox, flags=pick.choice([(), ("\\Deleted",)]))
                    uids = list(snapshot(db, mailbox, folder).uids)
                    some = [Uid(uid) for uid in pick.sample(uids, min(4, len(uids)))]
                    store_flags(db, mailbox, folder, some, "add", (f"k{pick.randrange(9)}",))
                    if pick.random() < 0.3:
                        expunge(db, mailbox, folder, some)
                    if pick.random() < 0.1:
                        move_messages(db, mailbox, folder, some, folder)
            finally:
                with lock:
                    running[0] -= 1
                    if not running[0]:
                        done.set()

        return body

    def reader(db: Database) -> None:
        start = snapshot(db, mailbox, folder)
        view = dict(zip(start.uids, zip(start.flags, start.modseqs, strict=True), strict=True))
        since = start.state.highest_modseq
        while True:
            is_last = done.is_set()
            changes = changes_since(db, mailbox, folder, since)
            for uid in changes.vanished:
                view.pop(uid, None)
            view.update({uid: (flags, modseq) for uid, flags, modseq in changes.entries})
            since = changes.state.highest_modseq
            if is_last:
                views.append(view)
                return

    run_threads(database, [*(writer(n) for n in range(4)), reader, reader])
    now = snapshot(database, mailbox, folder)
    fresh = dict(zip(now.uids, zip(now.flags, now.modseqs, strict=True), strict=True))
    assert fresh
    assert views == [fresh, fresh]


def test_deliveries_to_many_in_any_order_do_not_deadlock(
    database: Database, make_mailbox: MakeMailbox
) -> None:
    owners = [make_mailbox() for _ in range(6)]
    message = some_message()

    def body(number: int) -> Callable[[Database], None]:
        def deliver_all(db: Database) -> None:
            pick = random.Random(number)
            for i in range(50):
                order = pick.sample(owners, 5)
                chosen = message if i % 2 else some_message()
                append_message(db, chosen, [Placement(o) for o in order], cause="test")

        return deliver_all

    try:
        run_threads(database, [body(n) for n in range(6)])
    except DeadlockDetected as error:
        pytest.fail(str(error))
    counts = {f.message_count for o in owners for f in list_folders(database, o)[:1]}
    assert sum(list_folders(database, o)[0].message_count for o in owners) == 6 * 50 * 5
    assert max(counts) <= 300
