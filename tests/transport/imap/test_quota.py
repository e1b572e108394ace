"""QUOTA between an administrator and a user (RFC 9208)."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.factories import PASSWORD, MakeUser
from tests.transport.imap.conftest import Account, Connect
from tests.transport.imap.dialogue import Dialogue
from tests.transport.imap.running import RunningServer

MESSAGE = b"Subject: a\r\n\r\n" + b"b" * 986


@pytest.fixture
def administrator(
    imap: RunningServer, make_user: MakeUser, database: psycopg.Connection[Any]
) -> Iterator[Dialogue]:
    """The session of a user who may administer the installation, while the test runs."""
    user = make_user()
    dialogue = Dialogue(imap)
    dialogue.log_in(user.address, PASSWORD)
    database.execute("UPDATE accounts_user SET is_staff = true WHERE id = %s", [user.pk])
    yield dialogue
    database.execute("UPDATE accounts_user SET is_staff = false WHERE id = %s", [user.pk])
    dialogue.close()


def test_an_administrator_sets_limits_and_the_user_meets_them(
    administrator: Dialogue, connect: Connect, account: Account
) -> None:
    root = f"#user/{account.address}".encode()
    user = connect()
    assert user.append("INBOX", MESSAGE).split()[1] == b"OK"
    answer = administrator.command(b'SETQUOTA "%b" (STORAGE 510 MESSAGE 2)' % root)
    assert answer[0] == b'* QUOTA "%b" (STORAGE 1 510 MESSAGE 1 2)\r\n' % root
    assert user.command(b"GETQUOTAROOT INBOX")[:-1] == [
        b'* QUOTAROOT INBOX "%b"\r\n' % root,
        b'* QUOTA "%b" (STORAGE 1 510 MESSAGE 1 2)\r\n' % root,
    ]
    assert user.append("INBOX", MESSAGE).split()[1] == b"OK"
    assert b"NO [OVERQUOTA]" in user.append("INBOX", MESSAGE)
    user.command(b"SELECT INBOX")
    assert b"NO [OVERQUOTA]" in user.command(b"COPY 1 Trash")[-1]
    assert b" OK " in user.command(b"MOVE 1 Trash")[-1]  # nothing is added
    # What is not named is without limit from now on (§4.1.3).
    answer = administrator.command(b'SETQUOTA "%b" (storage 2)' % root)
    assert answer[0] == b'* QUOTA "%b" (STORAGE 2 2)\r\n' % root
    assert b"NO [OVERQUOTA]" in user.append("INBOX", MESSAGE)
    answer = administrator.command(b'SETQUOTA "%b" ()' % root)
    assert answer[0] == b'* QUOTA "%b" ()\r\n' % root
    assert user.append("INBOX", MESSAGE).split()[1] == b"OK"


def test_an_administrator_sees_every_root(
    administrator: Dialogue, account: Account, connect: Connect
) -> None:
    root = f"#user/{account.address}".encode()
    assert administrator.command(b"GETQUOTA %b" % root)[0] == b'* QUOTA "%b" ()\r\n' % root
    assert b"NO [NONEXISTENT]" in administrator.command(b"GETQUOTA #user/no@where.example")[-1]
    assert b"NO [NOPERM]" in connect().command(b"SETQUOTA %b (STORAGE 9)" % root)[-1]
