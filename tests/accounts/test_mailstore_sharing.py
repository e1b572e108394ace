"""The store's side of shared folders: whose name means what, and each reader's own \\Seen."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import people
from accounts.mailstore import consistency
from accounts.mailstore.changes import changes_since, snapshot
from accounts.mailstore.consistency import check_mailbox
from accounts.mailstore.expunging import expunge
from accounts.mailstore.flagbits import SEEN
from accounts.mailstore.folder_names import canonical_name, split_shared
from accounts.mailstore.folders import create_folder, delete_folder, open_folder
from accounts.mailstore.sharing import (
    ALL_RIGHTS,
    reach,
    reach_new,
    rights_in,
    rights_text,
    shared_folders,
)
from accounts.mailstore.sharing_flags import store_flags_as
from accounts.mailstore.sharing_moves import copy_as
from accounts.mailstore.sharing_rights import (
    Grantee,
    NoSuchGrantee,
    OwnerKeepsRights,
    find_grantee,
    forget_reader,
    list_grants,
    set_rights,
)
from accounts.mailstore.values import (
    FolderId,
    FolderState,
    MailboxId,
    ModSeq,
    NoPermission,
    NoSuchFolder,
    Uid,
)
from accounts.models import Domain, User
from tests.accounts.mailstore_messages import deliver
from tests.accounts.mailstore_turns import run_while_changing
from tests.factories import MakeDomain, MakeUser
from transport.database_threads import connection_string

Database = psycopg.Connection[Any]


@pytest.fixture
def domain(make_domain: MakeDomain) -> Domain:
    return make_domain()


@pytest.fixture
def user(domain: Domain, make_user: MakeUser, database: Database) -> Iterator[Callable[[], User]]:
    """user(): another one of the same domain; their mailboxes are checked when the test ends."""
    made: list[User] = []

    def make() -> User:
        made.append(make_user(domain=domain))
        return made[-1]

    yield make
    owners = [MailboxId(one.mailbox.pk) for one in made]
    assert [p for owner in owners for p in check_mailbox(database, owner)] == []


def box(user: User) -> MailboxId:
    return MailboxId(user.mailbox.pk)


def share(db: Database, owner: User, reader: User, rights: str, name: str = "INBOX") -> FolderState:
    folder = open_folder(db, box(owner), name)
    set_rights(db, box(owner), folder.id, Grantee(box(reader), False), rights)
    return folder


def test_one_s_own_folders_are_reached_without_a_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    db: Any = None  # not asked
    assert reach(db, MailboxId(1), "Work/Shared", "lrx").rights == ALL_RIGHTS
    assert reach(db, MailboxId(1), "Shared/notes", "lrx").is_own


def test_what_may_not_be_known_costs_what_is_not_there_costs(
    user: Callable[[], User], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = user(), user()
    create_folder(database, box(ann), "Secret")
    share(database, ann, user(), "lr", "Secret")
    asked: list[int] = []
    execute = database.execute

    def counted(*arguments: Any, **keywords: Any) -> Any:
        asked[-1] += 1
        return execute(*arguments, **keywords)

    monkeypatch.setattr(database, "execute", counted)
    for name in ("Secret", "Nothing", "Secret/Below"):
        asked.append(0)
        with pytest.raises(NoSuchFolder):
            reach(database, box(bob), f"Shared/{ann.address}/{name}", "r")
    asked.append(0)
    with pytest.raises(NoSuchFolder):
        reach(database, box(bob), "Shared/nobody@example.test/Secret", "r")
    assert asked == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("mine", "anyone", "not_mine", "not_anyone", "expected"),
    [
        ("lr", "", "", "", "lr"),
        ("", "lr", "", "", "lr"),
        ("ls", "lr", "", "", "lrs"),
        ("lrs", "lrw", "r", "", "lsw"),
        ("lrs", "lrw", "", "lw", "rs"),
        ("", "lr", "lr", "", ""),
    ],
)
def test_rights_add_up_and_negative_ones_take_away(
    user: Callable[[], User],
    database: Database,
    mine: str,
    anyone: str,
    not_mine: str,
    not_anyone: str,
    expected: str,
) -> None:
    ann, bob = user(), user()
    folder = open_folder(database, box(ann), "INBOX").id
    for mailbox, is_negative, rights in (
        (box(bob), False, mine),
        (None, False, anyone),
        (box(bob), True, not_mine),
        (None, True, not_anyone),
    ):
        set_rights(database, box(ann), folder, Grantee(mailbox, is_negative), rights)
    assert rights_in(database, box(ann), folder, box(bob)) == expected
    listed = [rights for _, _, rights in shared_folders(database, box(bob))]
    assert listed == ([expected] if "l" in expected else [])


def test_rights_of_rfc_2086_are_told_beside_those_that_replaced_them() -> None:
    assert rights_text(ALL_RIGHTS) == "lrswipkxtecda"
    assert rights_text("lrx") == "lrxc"
    assert rights_text("lrt") == "lrtd"
    assert rights_text("lra") == "lra"


def test_identifiers_are_addresses_usernames_and_anyone(
    user: Callable[[], User], database: Database, domain: Domain
) -> None:
    bob = user()
    assert find_grantee(database, bob.address.upper()) == Grantee(box(bob), False)
    assert find_grantee(database, f"-{bob.address}") == Grantee(box(bob), True)
    assert find_grantee(database, "ANYONE") == Grantee(None, False)
    alias = people.create_alias(f"other@{domain.name}", bob)
    for unknown in (str(alias), "nobody@example.test", "-", "--x", "no such", f"@{domain.name}"):
        with pytest.raises(NoSuchGrantee):
            find_grantee(database, unknown)


def test_the_owner_is_listed_first_and_stays(user: Callable[[], User], database: Database) -> None:
    ann, bob = user(), user()
    folder = share(database, ann, bob, "lr")
    grants = list_grants(database, box(ann), folder.id)
    assert [(grant.identifier, grant.rights) for grant in grants] == [
        (ann.address, ALL_RIGHTS),
        (bob.address, "lr"),
    ]
    with pytest.raises(OwnerKeepsRights):
        set_rights(database, box(ann), folder.id, Grantee(box(ann), False), "lr")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    address=st.one_of(
        st.sampled_from(["a@b.example", "\ud800@b.example", "a@b\0"]), st.text(max_size=20)
    ),
    name=st.one_of(st.sampled_from(["\ud800", "x\0y", "INBOX", ""]), st.text(max_size=20)),
)
def test_any_name_is_answered(database: Database, address: str, name: str) -> None:
    """Lone surrogates and NUL too, as modified UTF-7 may bring them."""
    full = f"Shared/{address}/{name}"
    with contextlib.suppress(NoSuchFolder, NoPermission):
        assert reach(database, MailboxId(1), full, "r").is_own  # no address stands there
    with contextlib.suppress(NoSuchFolder, NoPermission):
        assert reach_new(database, MailboxId(1), full).is_own


def test_names_of_shared_folders_have_one_form() -> None:
    assert split_shared("Shared/a@b.example/X/Y") == ("a@b.example", "X/Y")
    assert split_shared("Shared/notes/X") is None
    assert split_shared("Sharedness/a@b.example/X") is None
    assert canonical_name("Shared/Ann@B.Example/inbox/x/") == "Shared/ann@b.example/INBOX/x"
    deep = "Shared/a@b/" * 5000 + "x"
    assert canonical_name(deep) == deep


def test_a_deleted_folder_takes_rights_and_what_was_seen_with_it(
    user: Callable[[], User], database: Database
) -> None:
    ann, bob = user(), user()
    create_folder(database, box(ann), "Team")
    folder = share(database, ann, bob, "lrs", "Team")
    uid = deliver(database, box(ann), folder.id).uid
    store_flags_as(database, box(bob), box(ann), folder.id, [uid], "add", ("\\Seen",))
    delete_folder(database, box(ann), "Team")
    for table in ("mail_right", "mail_seen"):
        left = database.execute(
            f"SELECT count(*) FROM {table} WHERE owner_id = %s", [box(ann)]
        ).fetchone()
        assert left == (0,)


def test_a_reader_is_forgotten_though_a_folder_goes_meanwhile(
    user: Callable[[], User], database: Database
) -> None:
    ann, bob = user(), user()
    create_folder(database, box(ann), "Team")
    share(database, ann, bob, "lrs", "Team")
    inbox = share(database, ann, bob, "lrs")
    run_while_changing(
        database,
        box(ann),
        lambda db: forget_reader(db, box(bob)),
        lambda db: delete_folder(db, box(ann), "Team"),
    )
    grants = list_grants(database, box(ann), inbox.id)
    assert [grant.grantee.mailbox for grant in grants] == [box(ann)]


def test_two_who_move_to_each_other_at_once_both_succeed(
    user: Callable[[], User], database: Database
) -> None:
    ann, bob = user(), user()
    boxes = [box(ann), box(bob)]
    folders = [share(database, ann, bob, ALL_RIGHTS).id, share(database, bob, ann, ALL_RIGHTS).id]
    uids = [[deliver(database, boxes[i], folders[i]).uid for _ in range(30)] for i in (0, 1)]
    failed: list[BaseException] = []

    def move(i: int) -> None:
        try:
            with psycopg.connect(connection_string(), autocommit=True) as db:
                for uid in uids[i]:
                    here, there = boxes[i], boxes[1 - i]
                    copy_as(db, here, here, folders[i], [uid], there, folders[1 - i], is_move=True)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=move, args=(i,)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    for owner in boxes:
        assert open_folder(database, owner, "INBOX").message_count == 30


FLAGS = ("\\Seen", "\\Deleted", "\\Flagged", "work")
ACTIONS = st.one_of(
    st.tuples(
        st.just("store"),
        st.integers(0, 2),
        st.sampled_from(("add", "remove", "replace")),
        st.lists(st.sampled_from(FLAGS), unique=True, max_size=3),
        st.sets(st.integers(1, 8), min_size=1, max_size=4),
    ),
    st.tuples(st.just("deliver")),
    st.tuples(st.just("expunge")),
    st.tuples(st.just("copy"), st.integers(0, 2), st.sets(st.integers(1, 8), min_size=1)),
    st.tuples(st.just("grant"), st.integers(1, 2), st.sampled_from((ALL_RIGHTS, "lrs", "lrw"))),
)


class Reader:
    """What one reader knows of the folder by its changes alone."""

    def __init__(self, db: Database, owner: MailboxId, folder: FolderId, me: MailboxId) -> None:
        self.db, self.owner, self.folder, self.me = db, owner, folder, me
        self.modseq = ModSeq(0)
        self.known: dict[Uid, tuple[int, ModSeq]] = {}

    def catch_up(self) -> None:
        news = changes_since(self.db, self.owner, self.folder, self.modseq, self.me)
        for uid in news.vanished:
            self.known.pop(uid, None)
        for uid, flags, modseq in news.entries:
            assert modseq > self.modseq
            self.known[uid] = (flags, modseq)
        self.modseq = news.state.highest_modseq

    def check(self) -> None:
        self.catch_up()
        now = snapshot(self.db, self.owner, self.folder, self.me)
        there = zip(now.uids, now.flags, now.modseqs, strict=True)
        assert self.known == {uid: (flags, modseq) for uid, flags, modseq in there}
        assert now.state.unseen_count == sum(not flags & SEEN for flags in now.flags)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(actions=st.lists(ACTIONS, min_size=3, max_size=14))
def test_each_reader_s_changes_lead_to_what_that_reader_sees(
    user: Callable[[], User], database: Database, actions: list[Any]
) -> None:
    """Of a reader's \\Seen nobody else hears; of all else everybody does."""
    people_ = [user(), user(), user()]
    owner = box(people_[0])
    folder = open_folder(database, owner, "INBOX").id
    for reader in people_[1:]:
        set_rights(database, owner, folder, Grantee(box(reader), False), ALL_RIGHTS)
    readers = [Reader(database, owner, folder, box(one)) for one in people_]
    seen: list[set[int]] = [set(), set(), set()]
    for number, action in enumerate(actions):
        match action:
            case ("deliver",):
                deliver(database, owner, folder)
            case ("expunge",):
                gone = set(expunge(database, owner, folder).uids)
                seen = [one - gone for one in seen]
            case ("grant", who, rights):
                set_rights(database, owner, folder, Grantee(readers[who].me, False), rights)
            case ("copy", who, uids):
                me = readers[who].me
                rights = rights_in(database, owner, folder, me)
                if "i" in rights:
                    copied = copy_as(
                        database, me, owner, folder, list(uids), owner, folder, is_move=False
                    )
                    for old, new in zip(copied.source, copied.target, strict=True):
                        for one in seen:
                            one |= {new} if old in one else set()
            case ("store", who, mode, flags, uids):
                store(database, readers[who], mode, tuple(flags), uids, seen[who])
        readers[number % 3].catch_up()
    for reader, mine in zip(readers, seen, strict=True):
        reader.check()
        assert {uid for uid, (flags, _) in reader.known.items() if flags & SEEN} == mine


def store(
    db: Database,
    reader: Reader,
    mode: Any,
    flags: tuple[str, ...],
    uids: set[int],
    seen: set[int],
) -> None:
    """STORE, and what the model says of \\Seen."""
    there = set(snapshot(db, reader.owner, reader.folder, reader.me).uids) & uids
    try:
        store_flags_as(
            db, reader.me, reader.owner, reader.folder, [Uid(u) for u in uids], mode, flags
        )
    except NoPermission:
        return
    if "s" not in rights_in(db, reader.owner, reader.folder, reader.me):
        return
    if "\\Seen" in flags and mode != "remove":
        seen |= there
    elif "\\Seen" in flags or mode == "replace":
        seen -= there


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("UPDATE mail_seen SET uid = uid + 7 WHERE owner_id = %s", "was seen by"),
        ("UPDATE mail_seen SET modseq = modseq + 90 WHERE owner_id = %s", "was seen by"),
        ("DELETE FROM mail_change WHERE kind = 4 AND owner_id = %s", "was seen by"),
        ("UPDATE mail_folder SET is_shared = false WHERE owner_id = %s", "was never shared"),
    ],
)
def test_the_check_finds_what_sharing_may_break(
    user: Callable[[], User], database: Database, damage: str, complaint: str
) -> None:
    ann, bob = user(), user()
    folder = share(database, ann, bob, "lrs")
    uid = deliver(database, box(ann), folder.id).uid
    store_flags_as(database, box(bob), box(ann), folder.id, [uid], "add", ("\\Seen",))
    with database.transaction(force_rollback=True):
        database.execute(damage, [box(ann)])
        found = problems(database, box(ann))
    assert any(complaint in problem for problem in found), found


def problems(db: Database, owner: MailboxId) -> list[str]:
    """check_mailbox's, within the caller's transaction."""
    return [
        text.format(*row)
        for text, query in consistency._QUERIES.items()
        for row in db.execute(query, {"owner": owner})
    ]
