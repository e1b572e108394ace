"""STORE in one round trip: what others change while it waits for the owner's turn, and what it leaves alone."""

from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest

from accounts.mailstore.changes import changes_since, snapshot
from accounts.mailstore.flagbits import flag_names
from accounts.mailstore.flags import Mode, Stored, store_flags
from accounts.mailstore.folders import create_folder, delete_folder, open_folder
from accounts.mailstore.moving import expunge
from accounts.mailstore.values import FolderId, MailboxId, ModSeq, NoSuchFolder, Uid
from tests.accounts.conftest import MakeMailbox
from tests.accounts.mailstore_messages import deliver, flags_in
from tests.accounts.mailstore_turns import run_while_changing
from tests.round_trips import counted

Database = psycopg.Connection[Any]


class Race:
    """A folder with three messages, and a STORE there that waits while something else happens."""

    def __init__(self, database: Database, make_mailbox: MakeMailbox) -> None:
        self.database = database
        self.owner, self._elsewhere = make_mailbox(), make_mailbox()
        self.folder = FolderId(create_folder(database, self.owner, "race").id)
        self.uids = [deliver(database, self.owner, self.folder).uid for _ in range(3)]
        self.before = open_folder(database, self.owner, "race")

    def store(
        self,
        change: Callable[[Database], object],
        mode: Mode,
        flags: tuple[str, ...],
        unchanged_since: ModSeq | None = None,
        known: tuple[str, ...] = (),
    ) -> Stored:
        """STORE in all three, prepared already; `change` happens while it waits."""
        outcome: list[Stored] = []

        def service(db: Database) -> None:
            inbox = open_folder(db, self._elsewhere, "INBOX").id
            for keywords in ((), ("k",)):
                store_flags(db, self._elsewhere, inbox, [Uid(1)], mode, (*flags, *keywords))
            outcome.append(
                store_flags(
                    db, self.owner, self.folder, self.uids, mode, flags, unchanged_since, known=known
                )
            )  # fmt: skip

        run_while_changing(self.database, self.owner, service, change)
        return outcome[0]

    def other(self, uids: Sequence[Uid], mode: Mode, *flags: str) -> Callable[[Database], Stored]:
        return lambda db: store_flags(db, self.owner, self.folder, uids, mode, flags)

    def flags(self) -> dict[Uid, tuple[str, ...]]:
        return flags_in(self.database, self.owner, "race")


@pytest.fixture
def race(database: Database, make_mailbox: MakeMailbox) -> Race:
    return Race(database, make_mailbox)


def test_it_acts_on_the_flags_as_of_its_turn(race: Race) -> None:
    one, two, three = race.uids
    store_flags(race.database, race.owner, race.folder, [one, two], "add", ("\\Seen",))
    stored = race.store(race.other([two, three], "replace", "\\Flagged"), "add", ("\\Seen",))
    assert race.flags() == {
        one: ("\\Seen",),
        two: ("\\Seen", "\\Flagged"),
        three: ("\\Seen", "\\Flagged"),
    }
    assert [uid for uid, _, _ in stored.changed] == [two, three]
    assert [uid for uid, _, _ in stored.unchanged] == [one]
    assert open_folder(race.database, race.owner, "race").unseen_count == 0


def test_what_another_has_done_already_changes_nothing(race: Race) -> None:
    stored = race.store(race.other(race.uids, "add", "\\Seen"), "add", ("\\Seen",))
    assert stored.changed == ()
    assert stored.modseq == race.before.highest_modseq + 1
    assert [uid for uid, _, _ in stored.unchanged] == race.uids


def test_its_modseq_follows_the_one_before(race: Race) -> None:
    stored = race.store(race.other(race.uids[:1], "add", "\\Draft"), "add", ("\\Seen",))
    assert stored.modseq == race.before.highest_modseq + 2
    assert {modseq for _, _, modseq in stored.changed} == {stored.modseq}
    changes = changes_since(
        race.database, race.owner, race.folder, ModSeq(race.before.highest_modseq + 1)
    )
    assert changes.entries == stored.changed


def test_unchangedsince_spares_what_changed_while_it_waited(race: Race) -> None:
    one, two, three = race.uids
    since = race.before.highest_modseq
    stored = race.store(race.other([two], "add", "\\Flagged"), "add", ("\\Seen",), since)
    assert stored.modified == (two,)
    assert race.flags() == {one: ("\\Seen",), two: ("\\Flagged",), three: ("\\Seen",)}
    assert open_folder(race.database, race.owner, "race").unseen_count == 1


@pytest.mark.parametrize("known", [(), ("mine",)])
def test_a_keyword_that_came_meanwhile_keeps_its_bit(race: Race, known: tuple[str, ...]) -> None:
    one, two, three = race.uids
    stored = race.store(race.other([one], "add", "theirs"), "add", ("mine",), known=known)
    assert stored.keywords == ("theirs", "mine")
    assert race.flags() == {one: ("theirs", "mine"), two: ("mine",), three: ("mine",)}
    assert [flag_names(flags, stored.keywords) for _, flags, _ in stored.changed] == list(
        race.flags().values()
    )


def test_a_keyword_that_came_meanwhile_is_removed(race: Race) -> None:
    stored = race.store(race.other(race.uids[:2], "add", "theirs"), "remove", ("THEIRS",))
    assert [uid for uid, _, _ in stored.changed] == race.uids[:2]
    assert set(race.flags().values()) == {()}


def test_what_was_expunged_meanwhile_is_passed_over(race: Race) -> None:
    def change(db: Database) -> None:
        race.other(race.uids[1:2], "add", "\\Deleted")(db)
        expunge(db, race.owner, race.folder)

    stored = race.store(change, "add", ("\\Seen", "\\Deleted"))
    assert [uid for uid, _, _ in stored.changed] == [race.uids[0], race.uids[2]]
    state = open_folder(race.database, race.owner, "race")
    assert (state.message_count, state.unseen_count, state.deleted_count) == (2, 0, 2)


def test_a_folder_that_went_meanwhile_is_told(race: Race) -> None:
    with pytest.raises(NoSuchFolder):
        race.store(lambda db: delete_folder(db, race.owner, "race"), "add", ("\\Seen",))


@pytest.mark.parametrize("count", [1, 3, 101])
@pytest.mark.parametrize("flags", [("\\Seen",), ("\\Seen", "k")])
def test_it_is_one_round_trip(
    database: Database, make_mailbox: MakeMailbox, count: int, flags: tuple[str, ...]
) -> None:
    owner = make_mailbox()
    inbox = open_folder(database, owner, "INBOX").id
    uids = [deliver(database, owner, flags=("k",)).uid for _ in range(count)]
    store_flags(database, owner, inbox, uids, "remove", flags, known=("k",))  # prepares
    with counted(database) as counts:
        store_flags(database, owner, inbox, uids, "add", flags, known=("k",))
    assert counts == [1]
    assert len(set(flags_in(database, owner).values())) == 1


def test_other_keywords_than_were_known_cost_one_more(
    database: Database, make_mailbox: MakeMailbox
) -> None:
    owner = make_mailbox()
    inbox = open_folder(database, owner, "INBOX").id
    uid = deliver(database, owner, flags=("a", "b")).uid
    store_flags(database, owner, inbox, [uid], "remove", ("b",), known=("a", "b"))
    with counted(database) as counts:
        store_flags(database, owner, inbox, [uid], "add", ("b",), known=("a",))
    assert counts == [2]
    assert flags_in(database, owner) == {uid: ("a", "b")}


@pytest.mark.parametrize("is_prepared", [False, True])
@pytest.mark.parametrize(
    ("mode", "flags", "since"),
    [
        ("add", ("\\Seen",), None),
        ("add", ("new",), ModSeq(0)),
        ("remove", ("\\Draft", "unknown"), None),
    ],
)
def test_where_nothing_changes_nothing_is_written(
    database: Database,
    make_mailbox: MakeMailbox,
    mode: Mode,
    flags: tuple[str, ...],
    since: ModSeq | None,
    is_prepared: bool,
) -> None:
    owner = make_mailbox()
    inbox = open_folder(database, owner, "INBOX").id
    uid = deliver(database, owner, flags=("\\Seen",)).uid

    def rows() -> list[tuple[Any, ...]]:
        return database.execute(
            "SELECT f.xmin, f.xmax, f.keywords, e.xmin, e.xmax, e.modseq,"
            " (SELECT count(*) FROM mail_change c WHERE c.owner_id = f.owner_id),"
            " (SELECT count(*) FROM mail_event c WHERE c.owner_id = f.owner_id)"
            " FROM mail_folder f JOIN mail_entry e ON e.folder_id = f.id WHERE f.owner_id = %s",
            [owner],
        ).fetchall()

    before = rows()
    for _ in range(1 + is_prepared):
        stored = store_flags(database, owner, inbox, [uid], mode, flags, since)
        assert stored.changed == ()
        assert stored.keywords == ()
    assert rows() == before


def test_a_connection_lost_while_it_waits_changes_nothing(race: Race) -> None:
    """As by a kill, or by a time-out of the lock."""

    def end(db: Database) -> None:
        db.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE wait_event = 'advisory'"
            " AND datname = current_database()"
        )

    with pytest.raises(psycopg.OperationalError):
        race.store(end, "add", ("\\Seen",))
    assert set(race.flags().values()) == {()}
    now = snapshot(race.database, race.owner, race.folder).state
    assert now == race.before


def test_a_lock_that_lasts_too_long_fails_and_the_connection_goes_on(
    database: Database, mailbox: MailboxId, make_mailbox: MakeMailbox
) -> None:
    inbox = open_folder(database, mailbox, "INBOX").id
    elsewhere = make_mailbox()
    uid = deliver(database, mailbox).uid

    def service(db: Database) -> None:
        store_flags(db, mailbox, inbox, [uid], "add", ("\\Draft",))

    def change(db: Database) -> None:
        with psycopg.connect(database.info.dsn, autocommit=True) as late:
            late.execute("SET lock_timeout = '5ms'")
            with pytest.raises(NoSuchFolder):
                store_flags(late, elsewhere, inbox, [uid], "add", ("\\Seen",))  # prepares
            for _ in range(2):
                with pytest.raises(psycopg.errors.LockNotAvailable):
                    store_flags(late, mailbox, inbox, [uid], "add", ("\\Seen",))
            assert late.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
            assert late.execute("SELECT 7").fetchone() == (7,)

    run_while_changing(database, mailbox, service, change)
    assert flags_in(database, mailbox) == {uid: ("\\Draft",)}
