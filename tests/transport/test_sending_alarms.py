"""The mail that tells the administrator of a limit of sending: once until it is free again, by any number of workers."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from accounts.allowances import Full
from accounts.mailstore.blobs import read_blob
from accounts.mailstore.folders import open_folder
from accounts.mailstore.values import MailboxId
from accounts.models import SendingCount
from accounts.sending import Refusals, note_refusals
from transport.database_threads import connection_string
from transport.sending_alarms import tell_administrator

SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)


@pytest.fixture
def postmaster(make_user: Any) -> Any:
    return make_user("postmaster")


@pytest.fixture
def user(make_user: Any, postmaster: Any) -> Any:
    return make_user(domain=postmaster.domain)


def keep_back(database: Any, user: Any, number: int = 1, until: datetime = SOON) -> None:
    full = Full("200 messages an hour", until)
    note_refusals(database, [Refusals("user", user.pk, number, full, ("192.0.2.7",))])


def alarms(database: Any, owner: Any) -> list[str]:
    rows = database.execute(
        "SELECT m.prefix, m.blob_id FROM mail_message m WHERE m.owner_id = %s", (owner.mailbox.pk,)
    ).fetchall()
    return [(bytes(prefix) + bytes(read_blob(database, blob))).decode() for prefix, blob in rows]


def test_it_says_who_how_many_and_from_where(database, user, postmaster) -> None:
    keep_back(database, user, 3)
    folders, _ = tell_administrator(database)  # other tests' accounts may be told of too
    assert open_folder(database, MailboxId(postmaster.mailbox.pk), "INBOX").id in folders
    [text] = alarms(database, postmaster)
    assert f"Subject: {user.address} has reached a limit of sending\r\n" in text
    assert f"{user.address} may send 200 messages an hour" in text
    assert f"until {SOON:%Y-%m-%d %H:%M} UTC" in text
    assert "Kept back so far: 3 attempts." in text
    assert "From: 192.0.2.7\r\n" in text
    assert "Auto-Submitted: auto-generated" in text


def test_it_is_told_once_until_the_limit_is_free_again(database, user, postmaster) -> None:
    for _ in range(2):
        keep_back(database, user)
        tell_administrator(database)
    assert len(alarms(database, postmaster)) == 1
    ended = datetime.now(UTC) - timedelta(minutes=1)
    SendingCount.objects.filter(user=user).update(told_until=ended)
    keep_back(database, user)
    tell_administrator(database)
    assert len(alarms(database, postmaster)) == 2


def test_a_domain_without_mail_tells_the_administrator(
    database, make_app, make_domain, make_user
) -> None:
    new = make_app(domain=make_domain(mail_enabled=False))
    administrator = make_user(is_admin=True)
    full = Full("to 500 recipients an hour", SOON)
    note_refusals(database, [Refusals("app", new.app.pk, 1, full, ())])
    tell_administrator(database)
    assert SendingCount.objects.get(app=new.app).told_until == SOON
    first = database.execute(
        "SELECT m.id FROM accounts_mailbox m JOIN accounts_user u ON u.id = m.user_id"
        " WHERE u.is_staff AND u.is_active ORDER BY u.id LIMIT 1"
    ).fetchone()[0]
    rows = database.execute(
        "SELECT blob_id FROM mail_message WHERE owner_id = %s ORDER BY id DESC LIMIT 1", (first,)
    ).fetchall()
    assert administrator.mailbox.pk >= first
    assert new.app.address.encode() in b"".join(read_blob(database, blob) for (blob,) in rows)


def test_who_has_no_room_is_told_later(database, user, postmaster) -> None:
    keep_back(database, user)
    set_quota = "UPDATE accounts_mailbox SET quota_messages = %s WHERE id = %s"
    database.execute(set_quota, (0, postmaster.mailbox.pk))
    tell_administrator(database)
    assert alarms(database, postmaster) == []
    database.execute(set_quota, (10, postmaster.mailbox.pk))
    tell_administrator(database)
    assert len(alarms(database, postmaster)) == 1


def test_of_many_workers_one_tells(database, user, postmaster) -> None:
    keep_back(database, user)
    begin = threading.Barrier(4)

    def work() -> None:
        with psycopg.connect(connection_string(), autocommit=True) as db:
            begin.wait()
            tell_administrator(db)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(alarms(database, postmaster)) == 1


def test_what_filters_would_send_is_told_apart(database, user, postmaster) -> None:
    full = Full("200 messages an hour", SOON)
    for by_scripts in (False, True):
        note_refusals(database, [Refusals("user", user.pk, 1, full, (), by_scripts)])
    tell_administrator(database)
    [_, text] = alarms(database, postmaster)
    assert f"The filters of {user.address} may send 200 messages an hour" in text
    assert "What they redirect is kept in the mailbox until" in text
