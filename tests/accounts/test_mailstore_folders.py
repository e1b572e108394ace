"""Folder names, the tree, INBOX's special cases, subscriptions."""

from typing import Any

import psycopg
import pytest

from accounts.mailstore.changes import snapshot
from accounts.mailstore.folder_names import canonical_name, checked_name, parents
from accounts.mailstore.folders import (
    create_default_folders,
    create_folder,
    delete_folder,
    list_folders,
    open_folder,
    rename_folder,
)
from accounts.mailstore.special_uses import assign_use
from accounts.mailstore.subscriptions import list_subscriptions, subscribe, unsubscribe
from accounts.mailstore.values import (
    FolderExists,
    FolderHasChildren,
    FolderNameInvalid,
    FolderNotRemovable,
    MailboxId,
    NoSuchFolder,
    SpecialUseInvalid,
)
from tests.accounts.mailstore_messages import deliver

Database = psycopg.Connection[Any]
DEFAULTS = ["INBOX", "Archive", "Drafts", "Sent", "Spam", "Trash"]


def names(database: Database, owner: MailboxId) -> list[str]:
    return [folder.name for folder in list_folders(database, owner)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("inbox", "INBOX"),
        ("iNbOx/Work", "INBOX/Work"),
        ("Inboxes", "Inboxes"),
        ("a/b/", "a/b"),
        ("e\u0301", "\u00e9"),
    ],
)
def test_canonical_names(given: str, expected: str) -> None:
    assert canonical_name(given) == expected


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "a//b",
        "/a",
        "a\0b",
        "a\rb",
        "a\x85",
        "a\u2028",
        "\ud800",
        "\ufdd0",
        "\U0001ffff",
        "\ufeffa",
        "a\u202egpj.exe",
        "a\u2067b",
        "x" * 2601,
        "/".join("x" * 51),
    ],
)
def test_names_that_no_folder_has(name: str) -> None:
    with pytest.raises(FolderNameInvalid):
        checked_name(name)


def test_names_above() -> None:
    assert list(parents("a/b/c")) == ["a", "a/b"]
    assert list(parents("a")) == []


def test_default_folders_are_there_once_and_subscribed(
    database: Database, mailbox: MailboxId
) -> None:
    create_default_folders(database, mailbox)
    assert names(database, mailbox) == DEFAULTS
    uses = [folder.special_use for folder in list_folders(database, mailbox)]
    assert uses == ["", "\\Archive", "\\Drafts", "\\Sent", "\\Junk", "\\Trash"]
    assert sorted(list_subscriptions(database, mailbox)) == sorted(DEFAULTS)
    assert len({folder.uid_validity for folder in list_folders(database, mailbox)}) == 6


def test_folders_above_are_made(database: Database, mailbox: MailboxId) -> None:
    create_folder(database, mailbox, "a/b/c/")
    assert [n for n in names(database, mailbox) if n not in DEFAULTS] == ["a", "a/b", "a/b/c"]
    with pytest.raises(FolderExists):
        create_folder(database, mailbox, "a/b")
    with pytest.raises(FolderExists):
        create_folder(database, mailbox, "inbox")


def test_a_name_of_a_thousand_characters(database: Database, mailbox: MailboxId) -> None:
    name = "".join(chr(0x4E00 + i % 5000) for i in range(860))
    assert open_folder(database, mailbox, create_folder(database, mailbox, name).name).name == name
    assert create_folder(database, mailbox, "n" * 1000).name == "n" * 1000


def test_usual_names_get_the_special_use_that_is_free(
    database: Database, mailbox: MailboxId
) -> None:
    assert create_folder(database, mailbox, "Sent Items").special_use == ""
    delete_folder(database, mailbox, "Trash")
    assert create_folder(database, mailbox, "Deleted Items").special_use == "\\Trash"


def test_a_special_use_that_is_asked_for_moves(database: Database, mailbox: MailboxId) -> None:
    assert create_folder(database, mailbox, "Bin 2", special_use="\\trash").special_use == "\\Trash"
    assert open_folder(database, mailbox, "Trash").special_use == ""
    with pytest.raises(FolderExists):
        create_folder(database, mailbox, "Drafts", special_use="\\Trash")
    assert open_folder(database, mailbox, "Bin 2").special_use == "\\Trash"
    with pytest.raises(SpecialUseInvalid):
        create_folder(database, mailbox, "Everything", special_use="\\All")
    assign_use(database, mailbox, open_folder(database, mailbox, "Trash").id, "\\Trash")
    assert open_folder(database, mailbox, "Bin 2").special_use == ""
    with pytest.raises(SpecialUseInvalid):
        assign_use(database, mailbox, open_folder(database, mailbox, "INBOX").id, "\\Trash")
    assert open_folder(database, mailbox, "Trash").special_use == "\\Trash"


def test_deleting_keeps_what_is_below_and_frees_the_quota(
    database: Database, mailbox: MailboxId
) -> None:
    folder = create_folder(database, mailbox, "a/b")
    above = open_folder(database, mailbox, "a")
    deliver(database, mailbox, above.id)
    assert delete_folder(database, mailbox, "a") == above.id
    assert open_folder(database, mailbox, "a/b").id == folder.id
    with pytest.raises(NoSuchFolder):
        open_folder(database, mailbox, "a")
    with pytest.raises(FolderHasChildren):
        delete_folder(database, mailbox, "a")
    with pytest.raises(FolderNotRemovable):
        delete_folder(database, mailbox, "inbox")
    again = create_folder(database, mailbox, "a")
    assert again.uid_validity > above.uid_validity


def test_renaming_takes_the_tree_along(database: Database, mailbox: MailboxId) -> None:
    child = create_folder(database, mailbox, "a/b%_/c")
    create_folder(database, mailbox, "ab")
    appended = deliver(database, mailbox, child.id)
    renamed = rename_folder(database, mailbox, "a", "x/y")
    assert [n for n in names(database, mailbox) if n not in DEFAULTS] == [
        "ab",
        "x",
        "x/y",
        "x/y/b%_",
        "x/y/b%_/c",
    ]
    assert len(renamed.folder_ids) == 3
    after = open_folder(database, mailbox, "x/y/b%_/c")
    assert (after.id, after.uid_validity) == (child.id, child.uid_validity)
    assert list(snapshot(database, mailbox, after.id).uids) == [appended.uid]


def test_refused_renames(database: Database, mailbox: MailboxId) -> None:
    create_folder(database, mailbox, "a/b")
    create_folder(database, mailbox, "c/b")
    for old, new, error in [
        ("missing", "z", NoSuchFolder),
        ("a", "c", FolderExists),
        ("a", "inbox", FolderExists),
        ("a", "a", FolderExists),
        ("a", "a/z", FolderNameInvalid),
        ("a", "z//z", FolderNameInvalid),
        ("a", "z" * 2600, FolderNameInvalid),
    ]:
        with pytest.raises(error):
            rename_folder(database, mailbox, old, new)
    assert "a/b" in names(database, mailbox)


def test_no_folder_gets_the_name_of_anothers(database: Database, mailbox: MailboxId) -> None:
    create_folder(database, mailbox, "Teams/ann@example.org/Work")
    for name in ("Shared/ann@example.org", "Shared/ann@example.org/Work"):
        with pytest.raises(FolderNameInvalid):
            create_folder(database, mailbox, name)
    with pytest.raises(FolderNameInvalid):
        rename_folder(database, mailbox, "Teams", "Shared")
    create_folder(database, mailbox, "Shared/ann")


def test_a_parent_that_was_deleted_leaves_its_name_to_a_rename(
    database: Database, mailbox: MailboxId
) -> None:
    create_folder(database, mailbox, "a/b")
    create_folder(database, mailbox, "c/b")
    delete_folder(database, mailbox, "a")
    with pytest.raises(FolderExists):
        rename_folder(database, mailbox, "c", "a")
    assert "c/b" in names(database, mailbox)


def test_renaming_inbox_moves_its_messages(database: Database, mailbox: MailboxId) -> None:
    inbox = open_folder(database, mailbox, "INBOX")
    create_folder(database, mailbox, "INBOX/below")
    for _ in range(3):
        deliver(database, mailbox)
    rename_folder(database, mailbox, "INBOX", "old")
    assert open_folder(database, mailbox, "old").message_count == 3
    after = open_folder(database, mailbox, "inbox")
    assert (after.id, after.message_count) == (inbox.id, 0)
    assert "INBOX/below" in names(database, mailbox)


def test_a_subscription_needs_no_folder(database: Database, mailbox: MailboxId) -> None:
    subscribe(database, mailbox, "not/there")
    subscribe(database, mailbox, "not/there")
    unsubscribe(database, mailbox, "inbox")
    unsubscribe(database, mailbox, "never")
    assert list_subscriptions(database, mailbox) == [
        "Archive",
        "Drafts",
        "Sent",
        "Spam",
        "Trash",
        "not/there",
    ]
