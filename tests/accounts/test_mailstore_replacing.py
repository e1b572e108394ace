"""REPLACE is one change, or none (RFC 8508)."""

from typing import Any

import psycopg
import pytest

from accounts.mailstore.changes import changes_since
from accounts.mailstore.folders import open_folder
from accounts.mailstore.quota import quota_of
from accounts.mailstore.replacing import replace_message
from accounts.mailstore.values import (
    FolderState,
    MailboxId,
    NoSuchFolder,
    OverQuota,
    Placement,
    Uid,
)
from tests.accounts.conftest import MakeMailbox
from tests.accounts.mailstore_messages import deliver, flags_in, some_message

Database = psycopg.Connection[Any]


def test_the_old_one_goes_and_the_new_one_comes(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    old, other = deliver(database, mailbox), deliver(database, mailbox)
    place = Placement(mailbox, name="INBOX", flags=("\\Draft",))
    replaced = replace_message(
        database, mailbox, inbox.id, old.uid, some_message(), place, cause="imap"
    )
    assert replaced is not None
    appended, gone = replaced
    assert gone.uids == (old.uid,)
    assert appended.modseq > gone.modseq
    assert flags_in(database, mailbox) == {other.uid: (), appended.uid: ("\\Draft",)}
    news = changes_since(database, mailbox, inbox.id, other.modseq)
    assert news.vanished == {old.uid}
    assert [uid for uid, _, _ in news.entries] == [appended.uid]


def test_the_quota_counts_what_is_left(database: Database, make_mailbox: MakeMailbox) -> None:
    owner = make_mailbox(quota_bytes=1500)
    inbox = open_folder(database, owner, "INBOX")
    old = deliver(database, owner, message=some_message(size=1000))
    place = Placement(owner, name="INBOX")
    same, larger = some_message(size=1400), some_message(size=1600)
    replaced = replace_message(database, owner, inbox.id, old.uid, same, place, cause="imap")
    assert replaced is not None
    with pytest.raises(OverQuota):
        replace_message(database, owner, inbox.id, replaced[0].uid, larger, place, cause="imap")
    assert list(flags_in(database, owner)) == [replaced[0].uid]
    assert quota_of(database, owner).used_messages == 1


@pytest.mark.parametrize(("uid", "name"), [(9, "INBOX"), (1, "Nowhere")])
def test_without_message_or_folder_nothing_happens(
    database: Database, mailbox: MailboxId, inbox: FolderState, uid: int, name: str
) -> None:
    deliver(database, mailbox)
    place = Placement(mailbox, name=name)
    try:
        replaced = replace_message(
            database, mailbox, inbox.id, Uid(uid), some_message(), place, cause="imap"
        )
        assert replaced is None
        assert uid == 9
    except NoSuchFolder:
        assert name == "Nowhere"
    assert list(flags_in(database, mailbox)) == [1]
