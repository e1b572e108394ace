"""Annotations: bounds, all or nothing, what goes with a folder or a mailbox."""

from typing import Any

import psycopg
import pytest

from accounts.mailstore import annotations
from accounts.mailstore.annotations import (
    VALUE_MAXIMUM,
    annotations_of,
    get_annotations,
    set_annotations,
)
from accounts.mailstore.folders import create_folder, delete_folder
from accounts.mailstore.removal import delete_mailbox
from accounts.mailstore.values import (
    AnnotationTooLong,
    MailboxId,
    NoSuchFolder,
    TooManyAnnotations,
)
from tests.accounts.conftest import MakeMailbox
from tests.accounts.mailstore_turns import run_while_changing

Database = psycopg.Connection[Any]
COMMENT = "/private/comment"


def values(db: Database, owner: MailboxId, folder: str, *names: str) -> list[bytes | None]:
    return [entry.value for entry in get_annotations(db, owner, folder, names)]


def test_a_value_too_long_changes_nothing(database: Database, mailbox: MailboxId) -> None:
    set_annotations(database, mailbox, "INBOX", {COMMENT: b"x" * VALUE_MAXIMUM})
    with pytest.raises(AnnotationTooLong):
        set_annotations(
            database,
            mailbox,
            "INBOX",
            {COMMENT: b"new", "/shared/comment": b"x" * (VALUE_MAXIMUM + 1)},
        )
    assert values(database, mailbox, "INBOX", COMMENT) == [b"x" * VALUE_MAXIMUM]


def test_too_many_entries_change_nothing(
    database: Database, mailbox: MailboxId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotations, "ENTRIES_MAXIMUM", 10)
    many = {f"/private/{number}": b"" for number in range(10)}
    set_annotations(database, mailbox, "INBOX", many)
    set_annotations(database, mailbox, "INBOX", {"/shared/comment": b"others count by themselves"})
    with pytest.raises(TooManyAnnotations):
        set_annotations(database, mailbox, "INBOX", {"/private/0": b"new", "/private/10": b""})
    assert values(database, mailbox, "INBOX", "/private/0") == [b""]
    set_annotations(database, mailbox, "INBOX", {"/private/0": None, "/private/10": b""})
    set_annotations(database, mailbox, "", many)
    with pytest.raises(TooManyAnnotations):
        set_annotations(database, mailbox, "", {"/private/10": b""})


def test_a_mailbox_has_room_for_so_many_octets_in_all(
    database: Database, mailbox: MailboxId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(annotations, "TOTAL_MAXIMUM", 5000)
    set_annotations(database, mailbox, "INBOX", {COMMENT: b"x" * 3000})
    set_annotations(database, mailbox, "INBOX", {"/shared/comment": b"x" * 3000})
    for folder, name in (("Trash", COMMENT), ("", COMMENT), ("Trash", "/shared/comment")):
        with pytest.raises(TooManyAnnotations):
            set_annotations(database, mailbox, folder, {name: b"x" * 3000})


def test_the_server_is_private_to_each(
    database: Database, mailbox: MailboxId, make_mailbox: MakeMailbox
) -> None:
    other = make_mailbox()
    set_annotations(database, mailbox, "", {COMMENT: b"mine"})
    set_annotations(database, other, "", {COMMENT: b"other"})
    assert values(database, mailbox, "", COMMENT) == [b"mine"]
    set_annotations(database, mailbox, "", {COMMENT: None})
    assert values(database, other, "", COMMENT) == [b"other"]


def test_annotations_go_with_the_folder_and_with_the_mailbox(
    database: Database, mailbox: MailboxId
) -> None:
    folder = create_folder(database, mailbox, "a")
    set_annotations(database, mailbox, "a", {COMMENT: b"a", "/shared/comment": b"b"})
    set_annotations(database, mailbox, "", {COMMENT: b"c"})
    found = annotations_of(database, mailbox, [mailbox])
    assert {key for key in found if key[0] or key[1] == COMMENT} == {
        (folder.id, COMMENT),
        (folder.id, "/shared/comment"),
        (None, COMMENT),
    }
    delete_folder(database, mailbox, "a")
    assert annotations_of(database, mailbox, [mailbox]).keys() - {(None, COMMENT)} == set()
    delete_mailbox(database, mailbox)
    assert (None, COMMENT) not in annotations_of(database, mailbox, [mailbox])


def test_a_folder_that_goes_meanwhile_is_told_as_gone(
    database: Database, mailbox: MailboxId
) -> None:
    create_folder(database, mailbox, "a")
    with pytest.raises(NoSuchFolder):
        run_while_changing(
            database,
            mailbox,
            lambda db: set_annotations(db, mailbox, "a", {COMMENT: b"late"}),
            lambda db: delete_folder(db, mailbox, "a"),
        )
