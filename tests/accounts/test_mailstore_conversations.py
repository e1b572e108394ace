"""Conversations: who belongs to whom, whatever the order of arrival (RFC 8474 §5.2)."""

from typing import Any

import psycopg
import pytest
from django.core.management import call_command

from accounts.mailstore.append import append_message
from accounts.mailstore.blobs import INLINE_MAXIMUM
from accounts.mailstore.changes import snapshot
from accounts.mailstore.consistency import check_mailbox
from accounts.mailstore.folders import create_folder
from accounts.mailstore.moving import copy_messages
from accounts.mailstore.reading import fetch
from accounts.mailstore.values import FolderState, MailboxId, Placement, new_message
from tests.accounts.conftest import MakeMailbox
from tests.accounts.mailstore_messages import deliver

Database = psycopg.Connection[Any]


def mail(id_: str = "", references: str = "", in_reply_to: str = "") -> bytes:
    fields = {"Message-ID": id_, "References": references, "In-Reply-To": in_reply_to}
    header = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"From: Ann <a@x.test>\r\nSubject: Re: s\r\n{header}\r\n{id_}\r\n".encode()


def threads(db: Database, owner: MailboxId, inbox: FolderState) -> list[int]:
    uids = snapshot(db, owner, inbox.id).uids
    return [row[1] for row in fetch(db, owner, inbox.id, list(uids), ("thread_id",))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("mails", "expected"),
    [
        ([mail("<a>"), mail("<b>", "<a>"), mail("<c>", "<a> <b>")], "aaa"),
        ([mail("<c>", "<a> <b>"), mail("<b>", "<a>"), mail("<a>")], "aaa"),
        ([mail("<b>", "<a>"), mail("<c>", "<a>")], "aa"),
        ([mail("<a>"), mail("<b>", "", "<a>"), mail("<c>", "", "<b>")], "aaa"),
        ([mail("<a>"), mail("<b>")], "ab"),
        ([mail("<a>"), mail("<a>")], "aa"),
        ([mail(), mail("<b>")], "ab"),
        # a reply whose References lost their beginning; the one nearest to it counts
        ([mail("<b>", "<a>"), mail("<y>", "<x>"), mail("<c>", "<y> <b>")], "aba"),
        # tied together too late: a number never changes
        ([mail("<c>", "", "<b>"), mail("<b>", "<a>"), mail("<d>", "<a> <b> <c>")], "aba"),
    ],
)
def test_conversations(
    database: Database, mailbox: MailboxId, inbox: FolderState, mails: list[bytes], expected: str
) -> None:
    for content in mails:
        deliver(database, mailbox, message=new_message(content))
    found = threads(database, mailbox, inbox)
    names = dict(zip(reversed(found), reversed(expected), strict=True))
    assert "".join(names[number] for number in found) == expected
    assert len(set(found)) == len(set(expected))


def test_owners_have_the_same_reply_in_their_own_conversations(
    database: Database, mailbox: MailboxId, make_mailbox: MakeMailbox
) -> None:
    other_mailbox = make_mailbox()
    deliver(database, mailbox, message=new_message(mail("<b>", "<a>")))
    reply = new_message(mail("<c>", "", "<b>"))
    placed = append_message(
        database, reply, [Placement(mailbox), Placement(other_mailbox)], cause="smtp"
    )
    numbers = [fetch(database, p.owner, p.folder_id, [p.uid], ("thread_id",))[0][1] for p in placed]
    assert numbers[0] != numbers[1]  # only the first has the mail that ties them
    for owner in (mailbox, other_mailbox):
        assert check_mailbox(database, owner) == []


def test_a_copy_stays_in_its_conversation(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    placed = deliver(database, mailbox, message=new_message(mail("<a>")))
    target = create_folder(database, mailbox, "Copies")
    copied = copy_messages(database, mailbox, inbox.id, [placed.uid], target.id)
    there = fetch(database, mailbox, target.id, copied.target, ("thread_id", "message_id"))
    here = fetch(database, mailbox, inbox.id, [placed.uid], ("thread_id", "message_id"))
    assert there[0][1:] == here[0][1:]


def test_mail_from_before_is_filled(
    orm: None, database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    large = mail("<b>", "", "<a>") + b"x" * INLINE_MAXIMUM  # not in the row
    for content in (mail("<a>"), large, mail("<c>", "", "<b>")):
        deliver(database, mailbox, message=new_message(content))
    before = threads(database, mailbox, inbox)
    derived = "SELECT is_reply, display_from, display_to, thread_id FROM mail_message WHERE owner_id = %s ORDER BY id"
    rows = database.execute(derived, [mailbox]).fetchall()
    database.execute(
        "UPDATE mail_message SET thread_id = NULL, is_reply = false, display_from = ''"
        " WHERE owner_id = %s",
        [mailbox],
    )
    assert len(check_mailbox(database, mailbox)) == 3
    name = database.execute("SELECT name FROM accounts_mailbox WHERE id = %s", [mailbox]).fetchone()
    assert name
    call_command("fillconversations", name[0])
    assert threads(database, mailbox, inbox) == before
    assert database.execute(derived, [mailbox]).fetchall() == rows
    assert check_mailbox(database, mailbox) == []
