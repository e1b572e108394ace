"""One statement stores a message for all, or for none."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from accounts.journal.trace import TraceEvent
from accounts.mailstore.append import append_message, append_messages
from accounts.mailstore.blobs import INLINE_MAXIMUM
from accounts.mailstore.folders import delete_folder, list_folders, open_folder
from accounts.mailstore.objects import read_object
from accounts.mailstore.quota import quota_of
from accounts.mailstore.reading import fetch
from accounts.mailstore.values import (
    FolderId,
    FolderState,
    MailboxId,
    NoSuchFolder,
    OverQuota,
    Placement,
    new_message,
)
from tests.accounts.conftest import MakeMailbox
from tests.accounts.mailstore_messages import deliver, flags_in, some_message
from tests.round_trips import counted

Database = psycopg.Connection[Any]


def test_content_comes_back_byte_for_byte_below_the_prefix(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    message = new_message(bytes(range(256)) * 20 + b"\r\n")
    appended = deliver(database, mailbox, message=message, prefix=b"Delivered-To: \xc3\xa9\r\n")
    columns = ("prefix", "content", "size", "envelope", "parts", "header")
    [row] = fetch(database, mailbox, inbox.id, [appended.uid], columns)
    assert row[1:3] == (b"Delivered-To: \xc3\xa9\r\n", message.content)
    assert row[3] == len(message.content) + 18
    assert row[4:6] == (message.structure.envelope, message.structure.parts)
    assert message.content.startswith(row[6])


def test_a_delivery_is_one_round_trip_however_many_get_it(
    database: Database, make_mailbox: MakeMailbox
) -> None:
    owners = [make_mailbox() for _ in range(7)]
    trace = [TraceEvent("t-1", "store", "stored", "to seven\0", detail={"n": ["\0", 7]})]
    # The first time also prepares the statements.
    append_message(
        database, some_message(), [Placement(owner) for owner in owners], cause="smtp", trace=trace
    )
    append_message(
        database, some_message(), [Placement(owners[0], flags=("k",))], cause="smtp", trace=trace
    )
    placements = [Placement(owner, flags=("$New", "\\Seen")) for owner in owners]
    with counted(database) as counts:
        result = append_message(database, some_message(), placements, cause="smtp", trace=trace)
        append_message(database, some_message(), placements[:1], cause="smtp", trace=trace)
    assert counts == [2]
    assert [appended.owner for appended in result] == owners
    assert [appended.uid for appended in result] == [3, 2, 2, 2, 2, 2, 2]
    rows = database.execute("SELECT reason, detail FROM trace_event WHERE trace_id = 't-1'")
    assert rows.fetchall() == [("to seven", {"n": ["", 7]})] * 4


def test_the_blob_is_stored_once_and_the_message_once_an_owner(
    database: Database, make_mailbox: MakeMailbox
) -> None:
    one, two = make_mailbox(), make_mailbox()
    message = some_message()
    spam = open_folder(database, one, "Spam").id
    result = append_message(
        database,
        message,
        [
            Placement(two),
            Placement(one, folder=spam),
            Placement(one),
            Placement(one, prefix=b"X: y\r\n"),
        ],
        cause="smtp",
    )
    assert [a.uid for a in result] == [1, 1, 1, 2]
    assert result[1].folder_id == spam
    assert result[1].message_id == result[2].message_id != result[3].message_id
    query = "SELECT count(*) FROM mail_blob WHERE sha256 = %s"
    assert database.execute(query, [message.sha256]).fetchone() == (1,)
    assert quota_of(database, one).used_messages == 3


def test_the_same_message_again_is_a_second_entry(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    message = some_message()
    first = deliver(database, mailbox, message=message)
    second = deliver(database, mailbox, message=message)
    assert (first.uid, second.uid) == (1, 2)
    assert second.modseq > first.modseq
    rows = fetch(database, mailbox, inbox.id, [first.uid, second.uid], ["content"])
    assert [row[1] for row in rows] == [message.content] * 2


def test_special_use_chooses_the_folder_and_makes_it_again(
    database: Database, mailbox: MailboxId
) -> None:
    spam = open_folder(database, mailbox, "Spam")
    assert deliver(database, mailbox, special_use="\\Junk").folder_id == spam.id
    delete_folder(database, mailbox, "Spam")
    again = deliver(database, mailbox, special_use="\\Junk")
    assert again.folder_id == open_folder(database, mailbox, "Spam").id != spam.id
    assert again.uid_validity > spam.uid_validity


def test_nothing_is_stored_for_anyone_when_one_is_over_quota(
    database: Database, make_mailbox: MakeMailbox
) -> None:
    roomy, small = make_mailbox(), make_mailbox(quota_bytes=1000)
    placements = [Placement(roomy), Placement(small)]
    append_message(database, some_message(size=600), placements, cause="smtp")
    trace = [TraceEvent("t-over", "store", "stored")]
    with pytest.raises(OverQuota) as error:
        append_message(database, some_message(size=600), placements, cause="smtp", trace=trace)
    assert error.value.owner == small
    assert quota_of(database, roomy).used_messages == 1
    assert database.execute("SELECT FROM trace_event WHERE trace_id='t-over'").fetchone() is None
    deliver(database, small, message=some_message(size=400))
    assert quota_of(database, small).used_bytes == 1000


def test_nothing_is_stored_when_a_folder_is_missing(
    database: Database, mailbox: MailboxId, make_mailbox: MakeMailbox
) -> None:
    foreign = open_folder(database, make_mailbox(), "INBOX").id
    for folder in (FolderId(1 << 40), foreign):
        with pytest.raises(NoSuchFolder):
            append_message(
                database,
                some_message(),
                [Placement(mailbox), Placement(mailbox, folder=folder)],
                cause="smtp",
            )
    assert [f.message_count for f in list_folders(database, mailbox)] == [0] * 6


def test_flags_keywords_and_date_are_kept(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    date = datetime(1999, 12, 31, 23, 59, 58, tzinfo=UTC)
    deliver(
        database, mailbox, flags=("\\seen", "\\Deleted", "Work", "\\Recent"), internal_date=date
    )
    deliver(database, mailbox, flags=("WORK", "other"))
    assert flags_in(database, mailbox) == {1: ("\\Seen", "\\Deleted", "Work"), 2: ("Work", "other")}
    state = open_folder(database, mailbox, "INBOX")
    assert (state.message_count, state.unseen_count, state.deleted_count) == (2, 1, 1)
    [row, _] = fetch(database, mailbox, inbox.id, [1, 2], ["internal_date", "save_date"])
    assert row[1] == date
    assert abs((row[2] - datetime.now(UTC)).total_seconds()) < 60


def test_keywords_of_several_placements_in_one_folder(
    database: Database, mailbox: MailboxId
) -> None:
    flags: list[tuple[str, ...]] = [(), ("b", "A"), (), ("a", "c")]
    placements = [Placement(mailbox, flags=names) for names in flags]
    append_message(database, some_message(), placements, cause="test")
    assert open_folder(database, mailbox, "INBOX").keywords == ("b", "A", "c")
    assert list(flags_in(database, mailbox).values()) == [(), ("b", "A"), (), ("A", "c")]


def test_keywords_beyond_the_bits_are_left_out(database: Database, mailbox: MailboxId) -> None:
    deliver(database, mailbox, flags=tuple(f"k{i}" for i in range(70)))
    deliver(database, mailbox, flags=("k56", "k57", "K0"))
    flags = flags_in(database, mailbox)
    assert len(flags[1]) == 57
    assert flags[2] == ("k0", "k56")


def test_a_large_blob_is_an_object_and_shared(
    database: Database, make_mailbox: MakeMailbox
) -> None:
    one, two = make_mailbox(), make_mailbox()
    message = some_message(size=INLINE_MAXIMUM + 1)
    first = deliver(database, one, message=message)
    deliver(database, two, message=message)
    query = "SELECT content, object_name FROM mail_blob WHERE sha256 = %s"
    row = database.execute(query, [message.sha256]).fetchone()
    assert row is not None
    assert row[0] is None
    assert hashlib.sha256(read_object(row[1])).digest() == message.sha256
    assert read_object(row[1], 3, 5) == message.content[3:8]
    [(_, header)] = fetch(database, one, first.folder_id, [first.uid], ["header"])
    assert message.content.startswith(header)
    assert header.endswith(b"\r\n\r\n")


def test_several_messages_at_once_are_all_or_none(
    database: Database, mailbox: MailboxId, make_mailbox: MakeMailbox
) -> None:
    result = append_messages(
        database, [(some_message(), Placement(mailbox)) for _ in range(3)], cause="imap"
    )
    assert [a.uid for a in result] == [1, 2, 3]
    small = make_mailbox(quota_bytes=1500)
    with pytest.raises(OverQuota):
        append_messages(
            database,
            [(some_message(size=1000), Placement(small)) for _ in range(2)],
            cause="imap",
        )
    assert quota_of(database, small).used_messages == 0


def test_an_arrival_is_in_the_journal(database: Database, mailbox: MailboxId) -> None:
    appended = deliver(database, mailbox)
    query = "SELECT kind, cause, folder_id, message_ids FROM mail_event WHERE owner_id = %s"
    assert database.execute(query, [mailbox]).fetchall() == [
        ("arrival", "test", appended.folder_id, [appended.message_id])
    ]
