"""Snapshots and changes: what CONDSTORE, QRESYNC and IDLE are answered from."""

from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.mailstore.changes import (
    changes_since,
    current_modseqs,
    snapshot,
    trim_changes,
)
from accounts.mailstore.flags import store_flags
from accounts.mailstore.folders import open_folder
from accounts.mailstore.moving import expunge
from accounts.mailstore.sequence_sets import format_set, numbers_of, parse_set
from accounts.mailstore.values import FolderId, FolderState, MailboxId, ModSeq, NoSuchFolder
from tests.accounts.mailstore_messages import deliver

Database = psycopg.Connection[Any]


@given(st.sets(st.integers(1, 60)))
def test_sets_survive_their_text(numbers: set[int]) -> None:
    assert list(numbers_of(parse_set(format_set(sorted(numbers))))) == sorted(numbers)


def test_text_of_sets() -> None:
    assert format_set([1, 2, 3, 5, 7, 8]) == "1:3,5,7:8"


def test_a_snapshot_is_the_whole_folder(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    assert list(snapshot(database, mailbox, inbox.id).uids) == []
    entries = [deliver(database, mailbox, flags=("\\Flagged", "k")) for _ in range(3)]
    now = snapshot(database, mailbox, inbox.id)
    assert list(now.uids) == [1, 2, 3]
    assert list(now.flags) == [36] * 3
    assert list(now.modseqs) == [entry.modseq for entry in entries]
    assert (now.state.keywords, now.state.uid_next) == (("k",), 4)
    with pytest.raises(NoSuchFolder):
        snapshot(database, mailbox, FolderId(1 << 40))


def test_changes_are_what_happened_since(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    kept, gone, flagged = (deliver(database, mailbox) for _ in range(3))
    since = flagged.modseq
    assert changes_since(database, mailbox, inbox.id, since).entries == ()
    store_flags(database, mailbox, inbox.id, [gone.uid], "add", ("\\Deleted",))
    expunge(database, mailbox, inbox.id)
    stored = store_flags(database, mailbox, inbox.id, [flagged.uid], "add", ("\\Seen",))
    new = deliver(database, mailbox)
    changes = changes_since(database, mailbox, inbox.id, since)
    assert changes.vanished == {gone.uid}
    assert changes.entries == ((flagged.uid, 1, stored.modseq), (new.uid, 0, new.modseq))
    assert changes.state.highest_modseq == new.modseq
    assert kept.uid not in changes.vanished


def test_below_the_floor_every_missing_uid_has_vanished(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    uids = [deliver(database, mailbox).uid for _ in range(4)]
    store_flags(database, mailbox, inbox.id, uids[1:3], "add", ("\\Deleted",))
    expunge(database, mailbox, inbox.id)
    database.execute(
        "UPDATE mail_change SET at = now() - interval '61 days' WHERE owner_id = %s", [mailbox]
    )
    since = open_folder(database, mailbox, "INBOX").highest_modseq
    last = deliver(database, mailbox)
    assert trim_changes(database, 60) >= 6
    state = open_folder(database, mailbox, "INBOX")
    assert (state.min_modseq, state.highest_modseq) == (since, last.modseq)
    # At the floor the change rows still tell all; below it the entries have to.
    assert changes_since(database, mailbox, inbox.id, since).vanished == frozenset()
    below = changes_since(database, mailbox, inbox.id, ModSeq(since - 1))
    assert below.vanished == {2, 3}
    assert [uid for uid, _, _ in below.entries] == [last.uid]
    assert [e[0] for e in changes_since(database, mailbox, inbox.id, ModSeq(0)).entries] == [
        1,
        4,
        5,
    ]


def test_current_modseqs_leave_out_what_is_gone(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    appended = deliver(database, mailbox)
    wanted = [(mailbox, inbox.id), (mailbox, FolderId(1 << 40))]
    assert current_modseqs(database, wanted) == {inbox.id: appended.modseq}
    assert current_modseqs(database, []) == {}
