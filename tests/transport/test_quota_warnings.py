"""The mail that tells a user of a nearly full mailbox: once, until it is emptier, by any number of workers."""

import threading
from typing import Any

import psycopg
import pytest

from accounts.mailstore.append import append_message
from accounts.mailstore.blobs import read_blob
from accounts.mailstore.folders import open_folder
from accounts.mailstore.values import MailboxId, Placement, new_message
from transport.database_threads import connection_string
from transport.quota_warnings import warn_users

SIZE = 100_000


@pytest.fixture
def user(make_user: Any, database: Any) -> Any:
    """One who holds some 100 KB."""
    user = make_user()
    owner = MailboxId(user.mailbox.pk)
    folder = open_folder(database, owner, "INBOX").id
    content = b"Subject: big\r\n\r\n" + b"x" * SIZE + b"\r\n"
    append_message(database, new_message(content), [Placement(owner, folder)], cause="smtp")
    return user


def limit(database: Any, user: Any, quota_bytes: int | None) -> None:
    database.execute(
        "UPDATE accounts_mailbox SET quota_bytes = %s WHERE id = %s", (quota_bytes, user.mailbox.pk)
    )


def warned(database: Any, user: Any) -> list[bytes]:
    """The warnings that the user has got."""
    rows = database.execute(
        "SELECT m.prefix, m.blob_id FROM mail_message m WHERE m.owner_id = %s", (user.mailbox.pk,)
    ).fetchall()
    contents = [bytes(prefix) + bytes(read_blob(database, blob)) for prefix, blob in rows]
    return [content for content in contents if b"Subject: Your mailbox is" in content]


def test_a_nearly_full_mailbox_is_told_once(database, user) -> None:
    limit(database, user, 120_000)
    warn_users(database)
    assert warned(database, user) == []
    limit(database, user, 109_000)
    assert len(warn_users(database)) == 1
    warn_users(database)
    [message] = warned(database, user)
    assert b"Subject: Your mailbox is 91 % full\r\n" in message
    assert b"Auto-Submitted: auto-generated" in message
    assert b"91 % full (0.1 of 0.1 MB)" in message


def test_it_is_told_again_after_it_was_emptier(database, user) -> None:
    limit(database, user, 109_000)
    warn_users(database)
    limit(database, user, 120_000)  # 84 %: no news, and nothing is forgotten
    warn_users(database)
    limit(database, user, 109_000)
    warn_users(database)
    assert len(warned(database, user)) == 1
    limit(database, user, None)
    warn_users(database)
    limit(database, user, 109_500)
    warn_users(database)
    assert len(warned(database, user)) == 2


def test_a_number_of_messages_counts_too(database, user) -> None:
    database.execute(
        "UPDATE accounts_mailbox SET quota_messages = 1 WHERE id = %s", (user.mailbox.pk,)
    )
    warn_users(database)
    assert warned(database, user) == []  # there is no room for it
    database.execute(
        "UPDATE accounts_mailbox SET quota_messages = 2, used_messages = 2 WHERE id = %s",
        (user.mailbox.pk,),
    )
    warn_users(database)
    assert warned(database, user) == []
    row = database.execute(
        "SELECT quota_warned_at FROM accounts_mailbox WHERE id = %s", (user.mailbox.pk,)
    ).fetchone()
    assert row == (None,)  # it is told as soon as there is


def test_of_many_workers_one_tells(database, user) -> None:
    limit(database, user, 109_000)
    begin = threading.Barrier(4)

    def work() -> None:
        with psycopg.connect(connection_string(), autocommit=True) as db:
            begin.wait()
            warn_users(db)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(warned(database, user)) == 1
