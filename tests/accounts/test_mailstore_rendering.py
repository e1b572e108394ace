"""What is derived from a blob can be derived again."""

import io
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from accounts.mailstore.reading import fetch
from accounts.mailstore.values import MailboxId
from accounts.models import User
from tests.accounts.mailstore_messages import deliver

Database = psycopg.Connection[Any]


def test_rerender_restores_what_was_lost(database: Database, make_user: Any) -> None:
    user: User = make_user()
    owner = MailboxId(user.mailbox.pk)
    appended = deliver(database, owner)
    columns = ("envelope", "body", "body_structure", "parts", "header")
    before = fetch(database, owner, appended.folder_id, [appended.uid], columns)
    text = "SELECT * FROM mail_search_text WHERE owner_id = %s"
    texts = database.execute(text, [owner]).fetchall()
    database.execute("UPDATE mail_rendered SET envelope = 'x' WHERE owner_id = %s", [owner])
    database.execute("DELETE FROM mail_search_text WHERE owner_id = %s", [owner])
    database.execute("UPDATE mail_message SET header_size = 1 WHERE owner_id = %s", [owner])
    out = io.StringIO()
    call_command("rerender", user.mailbox.name, stdout=out)
    assert out.getvalue() == "1 messages of 1 mailboxes rendered\n"
    assert fetch(database, owner, appended.folder_id, [appended.uid], columns) == before
    assert database.execute(text, [owner]).fetchall() == texts


def test_rerender_knows_no_such_mailbox(orm: None) -> None:
    with pytest.raises(CommandError):
        call_command("rerender", "nobody@nowhere.example")
