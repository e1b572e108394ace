"""COPY, MOVE, EXPUNGE, and what becomes of the messages behind the entries."""

from typing import Any

import psycopg
import pytest

from accounts.mailstore.changes import changes_since, snapshot
from accounts.mailstore.flags import store_flags
from accounts.mailstore.folders import open_folder
from accounts.mailstore.moving import copy_messages, expunge, move_messages
from accounts.mailstore.quota import quota_of
from accounts.mailstore.reading import fetch
from accounts.mailstore.values import FolderId, FolderState, MailboxId, NoSuchFolder, OverQuota, Uid
from tests.accounts.conftest import MakeMailbox
from tests.accounts.mailstore_messages import deliver, flags_in, some_message

Database = psycopg.Connection[Any]


@pytest.fixture
def trash(database: Database, mailbox: MailboxId) -> FolderState:
    return open_folder(database, mailbox, "Trash")


def unfiled(database: Database, owner: MailboxId) -> list[int]:
    query = """
        SELECT DISTINCT m.id FROM mail_unfiled u JOIN mail_message m
            ON m.owner_id = u.owner_id AND m.id = ANY(u.message_ids)
        WHERE u.owner_id = %s AND NOT EXISTS (
            SELECT FROM mail_entry e WHERE e.owner_id = m.owner_id AND e.message_id = m.id)
        ORDER BY m.id"""
    return [id_ for (id_,) in database.execute(query, [owner])]


def test_a_copy_is_a_new_entry_of_the_same_message(
    database: Database, mailbox: MailboxId, inbox: FolderState, trash: FolderState
) -> None:
    deliver(database, mailbox, trash.id, flags=("other",))
    one = deliver(database, mailbox, flags=("\\Seen", "work", "home"))
    two = deliver(database, mailbox, flags=("home",))
    copied = copy_messages(database, mailbox, inbox.id, [Uid(9), two.uid, one.uid], trash.id)
    assert (copied.source, copied.target) == ((one.uid, two.uid), (2, 3))
    assert (copied.uid_validity, copied.source_modseq) == (trash.uid_validity, None)
    assert flags_in(database, mailbox, "Trash")[Uid(2)] == ("\\Seen", "work", "home")
    columns = ("message_id", "internal_date")
    [source] = fetch(database, mailbox, inbox.id, [one.uid], columns)
    [target] = fetch(database, mailbox, trash.id, [Uid(2)], columns)
    assert source[1:] == target[1:]
    assert quota_of(database, mailbox).used_messages == 5


def test_a_copy_without_room_copies_nothing(database: Database, make_mailbox: MakeMailbox) -> None:
    owner = make_mailbox(quota_bytes=2500)
    inbox, trash = (open_folder(database, owner, name) for name in ("INBOX", "Trash"))
    uids = [deliver(database, owner, message=some_message(size=1000)).uid for _ in range(2)]
    with pytest.raises(OverQuota):
        copy_messages(database, owner, inbox.id, uids, trash.id)
    move_messages(database, owner, inbox.id, uids, trash.id)
    assert quota_of(database, owner).used_bytes == 2000


def test_a_move_leaves_the_source(
    database: Database, mailbox: MailboxId, inbox: FolderState, trash: FolderState
) -> None:
    uids = [deliver(database, mailbox, flags=("\\Deleted",)).uid for _ in range(3)]
    before = open_folder(database, mailbox, "INBOX").highest_modseq
    moved = move_messages(database, mailbox, inbox.id, uids[1:], trash.id)
    assert (moved.source, moved.target) == ((2, 3), (1, 2))
    assert moved.source_modseq == before + 1
    changes = changes_since(database, mailbox, inbox.id, before)
    assert (changes.vanished, changes.entries) == ({2, 3}, ())
    assert list(snapshot(database, mailbox, inbox.id).uids) == [1]
    assert unfiled(database, mailbox) == []
    assert changes_since(database, mailbox, trash.id, trash.highest_modseq).entries == (
        (1, 8, moved.target_modseq),
        (2, 8, moved.target_modseq),
    )


def test_a_move_into_the_same_folder_gives_new_uids(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    uids = [deliver(database, mailbox).uid for _ in range(2)]
    move_messages(database, mailbox, inbox.id, uids[:1], inbox.id)
    now = snapshot(database, mailbox, inbox.id)
    assert list(now.uids) == [2, 3]
    assert now.state.message_count == 2


def test_expunge_takes_what_is_deleted_and_named(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    appended = [deliver(database, mailbox) for _ in range(4)]
    uids = [a.uid for a in appended]
    store_flags(database, mailbox, inbox.id, uids[:3], "add", ("\\Deleted",))
    gone = expunge(database, mailbox, inbox.id, [uids[0], uids[3], Uid(77)])
    assert gone.uids == (uids[0],)
    rest = expunge(database, mailbox, inbox.id)
    assert rest.uids == tuple(uids[1:3])
    assert rest.modseq == gone.modseq + 1
    assert expunge(database, mailbox, inbox.id).modseq == rest.modseq
    assert expunge(database, mailbox, inbox.id, []).uids == ()
    assert unfiled(database, mailbox) == [a.message_id for a in appended[:3]]
    assert quota_of(database, mailbox).used_messages == 1


def test_a_message_is_unfiled_when_its_last_copy_goes(
    database: Database, mailbox: MailboxId, inbox: FolderState, trash: FolderState
) -> None:
    appended = deliver(database, mailbox, flags=("\\Deleted",))
    copy_messages(database, mailbox, inbox.id, [appended.uid], trash.id)
    expunge(database, mailbox, inbox.id)
    assert unfiled(database, mailbox) == []
    expunge(database, mailbox, trash.id)
    assert unfiled(database, mailbox) == [appended.message_id]


def test_great_commands_commit_in_chunks(
    database: Database,
    mailbox: MailboxId,
    inbox: FolderState,
    trash: FolderState,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("accounts.mailstore.numbering.CHUNK", 2)
    monkeypatch.setattr("accounts.mailstore.expunging.CHUNK", 2)
    uids = [deliver(database, mailbox, flags=("\\Deleted",)).uid for _ in range(5)]
    copied = copy_messages(database, mailbox, inbox.id, uids, trash.id)
    assert copied.target == (1, 2, 3, 4, 5)
    assert copied.target_modseq == trash.highest_modseq + 3
    moved = move_messages(database, mailbox, inbox.id, uids[:3], trash.id)
    assert moved.target == (6, 7, 8)
    before = open_folder(database, mailbox, "Trash").highest_modseq
    assert len(expunge(database, mailbox, trash.id).uids) == 8
    assert open_folder(database, mailbox, "Trash").highest_modseq == before + 4
    assert expunge(database, mailbox, inbox.id, uids).uids == (4, 5)


def test_a_copy_that_fails_leaves_nothing_behind(
    database: Database,
    mailbox: MailboxId,
    inbox: FolderState,
    trash: FolderState,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The target's UIDs end within the second chunk."""
    monkeypatch.setattr("accounts.mailstore.numbering.CHUNK", 2)
    uids = [deliver(database, mailbox).uid for _ in range(4)]
    database.execute(
        "UPDATE mail_folder SET uid_next = 2147483645 WHERE owner_id = %s AND id = %s",
        [mailbox, trash.id],
    )
    with pytest.raises(psycopg.errors.NumericValueOutOfRange):
        copy_messages(database, mailbox, inbox.id, uids, trash.id)
    assert open_folder(database, mailbox, "Trash").message_count == 0
    assert quota_of(database, mailbox).used_messages == 4


def test_missing_folders_are_told(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    missing = FolderId(1 << 40)
    for call in (copy_messages, move_messages):
        with pytest.raises(NoSuchFolder):
            call(database, mailbox, inbox.id, [Uid(1)], missing)
        with pytest.raises(NoSuchFolder):
            call(database, mailbox, missing, [Uid(1)], inbox.id)
    with pytest.raises(NoSuchFolder):
        expunge(database, mailbox, missing)


def test_nothing_to_copy_is_no_change(
    database: Database, mailbox: MailboxId, inbox: FolderState, trash: FolderState
) -> None:
    copied = copy_messages(database, mailbox, inbox.id, [Uid(5)], trash.id)
    assert (copied.source, copied.target_modseq) == ((), None)
    assert copy_messages(database, mailbox, inbox.id, [], trash.id).target == ()
    assert open_folder(database, mailbox, "Trash") == trash
