"""Flags: names and bits, STORE, UNCHANGEDSINCE, and the many names of junk."""

from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.mailstore import flags as flags_module
from accounts.mailstore.changes import changes_since
from accounts.mailstore.flagbits import extended, flag_names, keyword_bits, split_flags
from accounts.mailstore.flags import store_flags
from accounts.mailstore.folders import open_folder
from accounts.mailstore.values import FolderState, MailboxId, NoSuchFolder, TooManyKeywords, Uid
from tests.accounts.mailstore_messages import deliver, flags_in

Database = psycopg.Connection[Any]
NAMES = st.sampled_from(["\\Seen", "\\DRAFT", "\\flagged", "$a", "$A", "b", "C", "Junk"])


@given(st.lists(NAMES))
def test_names_survive_the_way_through_bits(names: list[str]) -> None:
    bits, keywords = split_flags(names)
    known = extended((), keywords)
    result = flag_names(bits | keyword_bits(known, keywords), known)
    assert {name.lower() for name in result} == {name.lower() for name in names}


@pytest.mark.parametrize(
    ("mode", "given", "expected"),
    [
        ("add", ("\\Seen", "New"), ("\\Seen", "\\Flagged", "Old", "New")),
        ("remove", ("\\flagged", "OLD", "unknown"), ()),
        ("replace", ("\\Answered",), ("\\Answered",)),
        ("replace", (), ()),
    ],
)
def test_modes(
    database: Database,
    mailbox: MailboxId,
    inbox: FolderState,
    mode: Any,
    given: tuple[str, ...],
    expected: tuple[str, ...],
) -> None:
    uid = deliver(database, mailbox, flags=("\\Flagged", "Old")).uid
    stored = store_flags(database, mailbox, inbox.id, [uid, Uid(99)], mode, given)
    assert flags_in(database, mailbox) == {uid: expected}
    [(changed, bits, modseq)] = stored.changed
    assert (changed, flag_names(bits, stored.keywords), modseq) == (uid, expected, stored.modseq)


def test_counts_follow_seen_and_deleted(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    uids = [deliver(database, mailbox).uid for _ in range(5)]
    store_flags(database, mailbox, inbox.id, uids[:3], "add", ("\\Seen", "\\Deleted"))
    store_flags(database, mailbox, inbox.id, uids[1:], "replace", ("\\Deleted",))
    state = open_folder(database, mailbox, "INBOX")
    assert (state.unseen_count, state.deleted_count) == (4, 5)


def test_what_does_not_change_keeps_its_modseq(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    seen = deliver(database, mailbox, flags=("\\Seen",))
    unseen = deliver(database, mailbox)
    stored = store_flags(database, mailbox, inbox.id, [seen.uid, unseen.uid], "add", ("\\Seen",))
    assert stored.unchanged == ((seen.uid, 1, seen.modseq),)
    assert stored.changed == ((unseen.uid, 1, stored.modseq),)
    again = store_flags(database, mailbox, inbox.id, [seen.uid, unseen.uid], "add", ("\\Seen",))
    assert again.modseq == stored.modseq
    assert again.changed == ()


def test_unchangedsince_leaves_newer_entries_alone(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    first, second = deliver(database, mailbox), deliver(database, mailbox)
    stored = store_flags(
        database, mailbox, inbox.id, [first.uid, second.uid], "add", ("\\Seen",), first.modseq
    )
    assert stored.modified == (second.uid,)
    assert flags_in(database, mailbox) == {first.uid: ("\\Seen",), second.uid: ()}


@pytest.mark.parametrize("junk", ["$Junk", "junk", "JunkRecorded"])
@pytest.mark.parametrize("not_junk", ["$notjunk", "NotJunk", "NonJunk"])
def test_junk_and_not_junk_exclude_each_other(
    database: Database, mailbox: MailboxId, inbox: FolderState, junk: str, not_junk: str
) -> None:
    uid = deliver(database, mailbox, flags=(not_junk,)).uid
    store_flags(database, mailbox, inbox.id, [uid], "add", (junk,))
    names = {name.lower() for name in flags_in(database, mailbox)[uid]}
    assert {"$junk", "junk", junk.lower()} == names
    store_flags(database, mailbox, inbox.id, [uid], "add", (not_junk,))
    names = {name.lower() for name in flags_in(database, mailbox)[uid]}
    assert {"$notjunk", "nonjunk", not_junk.lower()} == names
    store_flags(database, mailbox, inbox.id, [uid], "remove", ("$NotJunk",))
    assert flags_in(database, mailbox)[uid] == ()


def test_a_keyword_too_many_is_refused(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    uid = deliver(database, mailbox, flags=tuple(f"k{i}" for i in range(57))).uid
    with pytest.raises(TooManyKeywords):
        store_flags(database, mailbox, inbox.id, [uid], "add", ("k3", "another"))
    store_flags(database, mailbox, inbox.id, [uid], "replace", ("k56",))
    assert flags_in(database, mailbox)[uid] == ("k56",)


def test_a_great_store_commits_in_chunks(
    database: Database, mailbox: MailboxId, inbox: FolderState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.mailstore.numbering.CHUNK", 2)
    uids = [deliver(database, mailbox).uid for _ in range(5)]
    before = open_folder(database, mailbox, "INBOX").highest_modseq
    stored = flags_module.store_flags(database, mailbox, inbox.id, uids, "add", ("\\Seen",))
    assert stored.modseq == before + 3
    assert [uid for uid, _, _ in stored.changed] == uids
    assert len(changes_since(database, mailbox, inbox.id, before).entries) == 5


def test_an_event_tells_what_was_stored(
    database: Database, mailbox: MailboxId, inbox: FolderState
) -> None:
    appended = deliver(database, mailbox)
    store_flags(database, mailbox, inbox.id, [appended.uid], "add", ("$Junk",), cause="imap")
    query = "SELECT cause, message_ids, detail FROM mail_event WHERE owner_id=%s AND kind='flags'"
    assert database.execute(query, [mailbox]).fetchall() == [
        ("imap", [appended.message_id], {"mode": "add", "flags": ["$Junk"]})
    ]


def test_a_missing_folder_is_told(database: Database, mailbox: MailboxId) -> None:
    with pytest.raises(NoSuchFolder):
        store_flags(database, mailbox, 1 << 40, [Uid(1)], "add", ("\\Seen",))  # type: ignore
