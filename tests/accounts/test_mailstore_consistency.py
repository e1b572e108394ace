"""check_mailbox finds what is broken, and `checkmail` says so."""

import io
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from accounts.mailstore.consistency import check_mailbox, check_shared
from accounts.mailstore.values import MailboxId
from accounts.models import User
from tests.accounts.mailstore_messages import deliver

Database = psycopg.Connection[Any]

DAMAGE = {
    "messages/unseen/deleted/size": "UPDATE mail_folder SET unseen_count = unseen_count + 1",
    "at or above uid_next": "UPDATE mail_folder SET uid_next = 1",
    "above highest_modseq": "UPDATE mail_entry SET modseq = 99",
    "min_modseq 99": "UPDATE mail_folder SET min_modseq = 99",
    "bits beyond its 0 keywords": "UPDATE mail_entry SET flags = flags | 32",
    "was expunged at": "UPDATE mail_change SET kind = 3",
    "no change row says so": "DELETE FROM mail_change",
    "its last change says": "UPDATE mail_change SET uids = '1:2'",
    "mailbox usage": "UPDATE mail_folder SET size_bytes = size_bytes + 1",
    "has no rendered row": "DELETE FROM mail_rendered",
    "has no search text": "DELETE FROM mail_search_text",
    "rendered row": "UPDATE mail_rendered SET message_id = -message_id",
    "search text": "UPDATE mail_search_text SET message_id = -message_id",
    "change row": "UPDATE mail_change SET folder_id = -1",
    "entry -1/1 has no folder": "UPDATE mail_entry SET folder_id = -1",
    "has size": "UPDATE mail_message SET size = size + 1",
    "the sweep does not know": "DELETE FROM mail_entry",
}


class Rollback(Exception):
    """Takes the damage back."""


@pytest.mark.parametrize("text", DAMAGE)
def test_damage_is_found(database: Database, mailbox: MailboxId, text: str) -> None:
    deliver(database, mailbox)
    with psycopg.connect(database.info.dsn) as other:
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute(f"{DAMAGE[text]} WHERE owner_id = %s", [mailbox])
        found = _check_inside(other, mailbox)
        other.rollback()
    assert any(text in problem for problem in found), found


def _check_inside(db: Database, owner: MailboxId) -> list[str]:
    """check_mailbox within a transaction that already wrote: all but its first statement."""
    real = db.execute
    db.execute = lambda query, *a, **k: (  # type: ignore
        real("SELECT 1") if str(query).startswith("SET TRANS") else real(query, *a, **k)
    )
    return check_mailbox(db, owner)


@pytest.mark.parametrize("change", ["content = 'x'", "content = NULL, object_name = 'no/such'"])
def test_a_damaged_blob_is_found(database: Database, mailbox: MailboxId, change: str) -> None:
    appended = deliver(database, mailbox)
    with psycopg.connect(database.info.dsn) as other:
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute(
            f"UPDATE mail_blob SET {change} WHERE id = (SELECT blob_id FROM mail_message WHERE id = %s)",
            [appended.message_id],
        )
        [problem] = _check_inside(other, mailbox)
        other.rollback()
    assert problem.startswith("blob ")


def test_rows_of_a_mailbox_that_is_gone_are_found(database: Database) -> None:
    database.execute(
        "INSERT INTO mail_change (owner_id, folder_id, modseq, kind, uids) VALUES (-7, 1, 1, 1, '1')"
    )
    assert "mail of mailbox -7, which does not exist: change rows" in check_shared(database)
    database.execute("DELETE FROM mail_change WHERE owner_id = -7")
    assert check_shared(database) == []


def test_the_command_exits_with_1_when_something_is_broken(
    database: Database, make_user: Any
) -> None:
    user: User = make_user()
    owner = MailboxId(user.mailbox.pk)
    deliver(database, owner)
    out = io.StringIO()
    call_command("checkmail", user.mailbox.name, stdout=out)
    assert out.getvalue() == "1 mailboxes checked, 0 problems\n"
    database.execute("UPDATE mail_folder SET size_bytes = 1 WHERE owner_id = %s", [owner])
    with pytest.raises(SystemExit) as error:
        call_command("checkmail", user.mailbox.name, stdout=out)
    assert error.value.code == 1
    assert "(INBOX): messages/unseen/deleted/size are" in out.getvalue()
    database.execute("DELETE FROM mail_entry WHERE owner_id = %s", [owner])
    database.execute("DELETE FROM mail_change WHERE owner_id = %s", [owner])
    database.execute(
        "UPDATE mail_folder SET (size_bytes, message_count, unseen_count) = (0, 0, 0)"
        " WHERE owner_id = %s",
        [owner],
    )
    database.execute(
        "UPDATE accounts_mailbox SET used_bytes = 0, used_messages = 0 WHERE id = %s", [owner]
    )
    database.execute(
        "INSERT INTO mail_unfiled (owner_id, message_ids)"
        " SELECT owner_id, array_agg(id) FROM mail_message WHERE owner_id = %s GROUP BY owner_id",
        [owner],
    )
    assert check_mailbox(database, owner) == []


def test_the_command_knows_no_such_mailbox(orm: None) -> None:
    with pytest.raises(CommandError, match="no such mailbox"):
        call_command("checkmail", "nobody@nowhere.example")
