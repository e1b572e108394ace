"""Nothing that is expunged frees bytes at once; what nothing needs goes in the end."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured

from accounts.mailstore import objects
from accounts.mailstore import sweep as sweeping
from accounts.mailstore.blobs import INLINE_MAXIMUM, keep_blob, read_blob
from accounts.mailstore.expunging import remove_entries
from accounts.mailstore.folders import open_folder
from accounts.mailstore.moving import copy_messages, expunge
from accounts.mailstore.objects import (
    delete_object,
    list_objects,
    object_storage,
    read_object,
    write_object,
)
from accounts.mailstore.removal import delete_mailbox
from accounts.mailstore.sweep import sweep, sweep_blobs, sweep_messages, sweep_objects
from accounts.mailstore.values import FolderState, MailboxId, NewMessage
from tests.accounts.conftest import MakeMailbox
from tests.accounts.mailstore_messages import deliver, some_message
from tests.accounts.mailstore_turns import run_while_changing
from tests.round_trips import counted

Database = psycopg.Connection[Any]
LARGE = INLINE_MAXIMUM + 1


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """A folder of objects for this test alone."""
    settings.BLOB_STORAGE_URL = f"file://{tmp_path}/blobs"
    return tmp_path / "blobs"


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def blob_of(database: Database, message: NewMessage) -> int | None:
    row = database.execute(
        "SELECT id FROM mail_blob WHERE sha256 = %s", [message.sha256]
    ).fetchone()
    return row[0] if row else None


def age(database: Database, message: NewMessage, owner: MailboxId | None = None) -> None:
    """As if two weeks and a day had gone by."""
    database.execute(
        "UPDATE mail_blob SET used_at = used_at - interval '15 days' WHERE sha256 = %s",
        [message.sha256],
    )
    if owner is not None:
        database.execute(
            "UPDATE mail_unfiled SET at = at - interval '15 days' WHERE owner_id = %s",
            [owner],
        )


def test_an_expunged_message_goes_after_two_weeks(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    kept, gone = some_message(), some_message()
    deliver(database, mailbox, message=kept)
    deliver(database, mailbox, message=gone, flags=("\\Deleted",))
    expunge(database, mailbox, inbox.id)
    age(database, kept)
    sweep(database)
    assert blob_of(database, gone) is not None
    age(database, gone, mailbox)
    swept = sweep(database)
    assert swept.messages >= 1
    assert blob_of(database, gone) is None
    assert blob_of(database, kept) is not None


def messages_of(database: Database, owner: MailboxId) -> set[int]:
    query = "SELECT id FROM mail_message WHERE owner_id = %s"
    return {id_ for (id_,) in database.execute(query, [owner]).fetchall()}


def test_what_happens_while_the_sweep_waits_counts(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    """Two messages whose one copy went long ago: one is filed elsewhere now, one loses its last entry."""
    junk, trash = (open_folder(database, mailbox, name) for name in ("Spam", "Trash"))
    filed, lost = (deliver(database, mailbox) for _ in range(2))
    both = [filed.uid, lost.uid]
    copies = copy_messages(database, mailbox, inbox.id, both, junk.id).target
    remove_entries(database, mailbox, junk.id, copies, cause="test")
    age(database, some_message(), mailbox)

    def change(db: Database) -> None:
        copy_messages(db, mailbox, inbox.id, [filed.uid], trash.id)
        remove_entries(db, mailbox, inbox.id, both, cause="test")

    run_while_changing(database, mailbox, lambda db: sweep_messages(db, 14), change)
    assert messages_of(database, mailbox) == {filed.message_id, lost.message_id}
    age(database, some_message(), mailbox)
    sweep_messages(database, 14)
    assert messages_of(database, mailbox) == {filed.message_id}


def test_many_small_expunges_are_swept_together(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    for _ in range(30):
        remove_entries(database, mailbox, inbox.id, [deliver(database, mailbox).uid], cause="test")
    age(database, some_message(), mailbox)
    with counted(database) as round_trips:
        assert sweep_messages(database, 14) >= 30
    assert round_trips[0] < 30
    assert messages_of(database, mailbox) == set()


def test_unused_blobs_are_found_between_used_ones(
    database: Database, mailbox: MailboxId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 3)
    messages = [some_message() for _ in range(7)]
    for place, message in enumerate(messages):
        if place % 2:
            keep_blob(database, message.content)
        else:
            deliver(database, mailbox, message=message)
        age(database, message)
    sweep_blobs(database, 14)
    left = [blob_of(database, message) is not None for message in messages]
    assert left == [True, False, True, False, True, False, True]


def test_a_blob_that_the_queue_refers_to_stays(database: Database) -> None:
    message = some_message()
    blob = keep_blob(database, message.content)
    database.execute(
        "CREATE TABLE IF NOT EXISTS test_refers (blob_id bigint REFERENCES mail_blob ON DELETE RESTRICT)"
    )
    try:
        database.execute("INSERT INTO test_refers VALUES (%s)", [blob])
        age(database, message)
        sweep_blobs(database, 14)
        assert read_blob(database, blob) == message.content
    finally:
        database.execute("DROP TABLE test_refers")
    sweep_blobs(database, 14)
    assert blob_of(database, message) is None


def test_a_blob_that_is_being_used_is_not_swept(database: Database) -> None:
    message = some_message()
    keep_blob(database, message.content, message.sha256)
    age(database, message)
    with psycopg.connect(database.info.dsn) as other:
        keep_blob(other, message.content, message.sha256)
        sweep_blobs(database, 14)
        other.commit()
    sweep_blobs(database, 14)
    assert blob_of(database, message) is not None


def test_an_object_goes_a_day_after_its_row(database: Database, folder: Path) -> None:
    message = some_message(size=LARGE)
    blob = keep_blob(database, message.content)
    assert keep_blob(database, message.content) == blob
    assert read_blob(database, blob) == message.content
    [file] = files(folder)
    assert file.stat().st_mode & 0o077 == 0
    old = (datetime.now(UTC) - timedelta(days=20)).timestamp()
    os.utime(file, (old, old))
    age(database, message)
    sweep(database)
    assert blob_of(database, message) is None
    assert files(folder) == [file]
    assert sweep_objects(database, now=datetime.now(UTC) + timedelta(days=1, hours=1)) == 1
    assert files(folder) == []


def test_an_object_without_a_row_goes_after_a_day(database: Database, folder: Path) -> None:
    orphan = write_object(b"orphan")
    message = some_message(size=LARGE)
    blob = keep_blob(database, message.content)
    assert sweep_objects(database) == 0
    assert sweep_objects(database, now=datetime.now(UTC) + timedelta(days=2)) == 1
    assert not (folder / orphan).exists()
    assert read_blob(database, blob) == message.content
    delete_object(orphan)
    database.execute("DELETE FROM mail_blob WHERE id = %s", [blob])


def test_objects_are_synced_with_their_folders(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    real = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda fd: (synced.append(os.readlink(f"/proc/self/fd/{fd}")), real(fd))
    )
    name = write_object(b"content")
    path = folder / name
    assert {str(path), str(path.parent), str(folder), str(folder.parent)} <= set(synced)
    assert read_object(name) == b"content"
    assert [listed for listed, _ in list_objects()] == [name]
    assert write_object(b"content") != name


@pytest.mark.parametrize("url", ["ftp://x/y", "blobs", "file://host/x", "s3://", "file:"])
def test_a_storage_url_that_means_nothing_is_refused(settings: Any, url: str) -> None:
    settings.BLOB_STORAGE_URL = url
    with pytest.raises(ImproperlyConfigured):
        object_storage()


def test_s3_without_its_library_says_what_to_install(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "storages.backends.s3", None)
    objects._storage.cache_clear()
    settings.BLOB_STORAGE_URL = "s3://bucket/prefix"
    with pytest.raises(ImproperlyConfigured, match="pip install"):
        object_storage()


def test_a_deleted_mailbox_leaves_nothing(database: Database, make_mailbox: MakeMailbox) -> None:
    row = database.execute(
        "INSERT INTO accounts_mailbox (name, used_bytes, used_messages, created_at)"
        " VALUES ('x', 0, 0, now()) RETURNING id"
    ).fetchone()
    assert row is not None
    owner = MailboxId(row[0])
    database.execute("INSERT INTO mail_folder (owner_id, name) VALUES (%s, 'INBOX')", [owner])
    other = make_mailbox()
    message = some_message()
    deliver(database, owner, message=message)
    deliver(database, other, message=message)
    delete_mailbox(database, owner)
    for table in ("folder", "entry", "message", "rendered", "search_text", "change", "event"):
        query = f"SELECT count(*) FROM mail_{table} WHERE owner_id = %s"
        assert database.execute(query, [owner]).fetchone() == (0,)
