"""EXPUNGE in one round trip, and what others change while it waits for the owner's turn."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from accounts.mailstore.expunging import Expunged, expunge
from accounts.mailstore.flags import store_flags
from accounts.mailstore.folders import create_folder, delete_folder, open_folder
from accounts.mailstore.values import MailboxId, NoSuchFolder, Uid
from tests.accounts.conftest import MakeMailbox
from tests.accounts.mailstore_messages import deliver, flags_in
from tests.accounts.mailstore_turns import run_while_changing
from tests.round_trips import counted

Database = psycopg.Connection[Any]
DELETED = ("\\Deleted",)


@pytest.mark.parametrize("by_uid", [False, True])
def test_it_goes_by_the_flags_as_of_its_turn(
    database: Database, make_mailbox: MakeMailbox, by_uid: bool
) -> None:
    owner, elsewhere = make_mailbox(), make_mailbox()
    inbox = open_folder(database, owner, "INBOX").id
    kept, lost, added = (deliver(database, owner, flags=DELETED).uid for _ in range(3))
    store_flags(database, owner, inbox, [added], "remove", DELETED)
    uids = [kept, lost, added] if by_uid else None
    gone: list[Expunged] = []

    def service(db: Database) -> None:
        other = open_folder(db, elsewhere, "INBOX").id
        expunge(db, elsewhere, other, [Uid(1)])  # prepares
        expunge(db, elsewhere, other)
        gone.append(expunge(db, owner, inbox, uids, known=[kept, lost]))

    def change(db: Database) -> None:
        store_flags(db, owner, inbox, [kept], "remove", DELETED)
        store_flags(db, owner, inbox, [added], "add", DELETED)

    run_while_changing(database, owner, service, change)
    assert gone[0].uids == (lost, added)
    assert flags_in(database, owner) == {kept: ()}
    state = open_folder(database, owner, "INBOX")
    assert (state.message_count, state.deleted_count) == (1, 0)
    assert state.highest_modseq == gone[0].modseq


def test_a_folder_that_went_meanwhile_is_told(
    database: Database, make_mailbox: MakeMailbox
) -> None:
    owner = make_mailbox()
    folder = create_folder(database, owner, "race").id

    with pytest.raises(NoSuchFolder):
        run_while_changing(
            database,
            owner,
            lambda db: expunge(db, owner, folder),
            lambda db: delete_folder(db, owner, "race"),
        )


def prepared(database: Database, owner: MailboxId) -> Callable[[int], list[Uid]]:
    inbox = open_folder(database, owner, "INBOX").id
    expunge(database, owner, inbox)
    expunge(database, owner, inbox, known=[Uid(1)])

    return lambda count: [deliver(database, owner, flags=DELETED).uid for _ in range(count)]


def test_it_is_one_round_trip_where_the_caller_knows_all(
    database: Database, make_mailbox: MakeMailbox
) -> None:
    owner = make_mailbox()
    inbox = open_folder(database, owner, "INBOX")
    uids = prepared(database, owner)(3)
    with counted(database) as counts:
        assert expunge(database, owner, inbox.id, known=uids).uids == tuple(uids)
    assert counts == [1]


def test_another_than_the_caller_knows_costs_one_more(
    database: Database, make_mailbox: MakeMailbox
) -> None:
    owner = make_mailbox()
    inbox = open_folder(database, owner, "INBOX")
    uids = prepared(database, owner)(3)
    with counted(database) as counts:
        assert expunge(database, owner, inbox.id, known=uids[:1]).uids == tuple(uids)
    assert counts == [2]


def test_many_are_noted_for_the_sweep_each_once(database: Database, mailbox: MailboxId) -> None:
    inbox = open_folder(database, mailbox, "INBOX").id
    messages = [deliver(database, mailbox, flags=DELETED).message_id for _ in range(201)]
    assert len(expunge(database, mailbox, inbox).uids) == 201
    rows = database.execute(
        "SELECT message_ids FROM mail_unfiled WHERE owner_id = %s", [mailbox]
    ).fetchall()
    assert sorted(id_ for (ids,) in rows for id_ in ids) == messages
    assert max(len(ids) for (ids,) in rows) <= 200
