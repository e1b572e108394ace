"""NOTIFY (RFC 5465): what of two states is news, and when it is too much."""

from dataclasses import replace

import pytest

from accounts.mailstore.listing import Hierarchy, VisibleFolder
from accounts.mailstore.values import FolderId, FolderState, MailboxId, ModSeq, Uid
from tests.transport.imap.conftest import Connect
from tests.transport.imap.running import RunningServer
from transport.imap import watching
from transport.imap.wanted_events import NameNews, StatusNews, name_news, status_news
from transport.imap.wire.commands.types import EventGroup

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"
NAMES = (EventGroup("PERSONAL", frozenset(), frozenset(("MAILBOXNAME", "SUBSCRIPTIONCHANGE"))),)
MESSAGES = frozenset(("MESSAGENEW", "MESSAGEEXPUNGE", "FLAGCHANGE"))


def state(number: int, name: str, **changes: object) -> FolderState:
    blank = FolderState(
        FolderId(number), MailboxId(1), name, 7, Uid(1), ModSeq(1), ModSeq(1), "", 0, 0, 0, 0, (), False
    )  # fmt: skip
    return replace(blank, **changes)  # type: ignore[arg-type]


def known(*states: FolderState, subscribed: tuple[str, ...] = ()) -> Hierarchy:
    folders = {s.name: VisibleFolder(s, "lrs", is_own=True) for s in states}
    return Hierarchy(folders, frozenset(subscribed))


def test_a_renamed_folder_takes_its_children_without_a_word() -> None:
    before = known(state(1, "a"), state(2, "a/b"), state(3, "a/b/c"), state(4, "d"))
    after = known(state(1, "x"), state(2, "x/b"), state(3, "x/b/other"), state(4, "d"))
    assert list(name_news(NAMES, before, after)) == [
        NameNews("x", "a"),
        NameNews("x/b/other", "a/b/c"),
    ]


def test_a_new_folder_of_an_old_name_is_one_that_came() -> None:
    news = name_news(NAMES, known(state(1, "a")), known(state(2, "a")))
    assert list(news) == [NameNews("a")]


def test_a_subscription_without_a_folder_is_told() -> None:
    news = name_news(NAMES, known(), known(subscribed=("gone",)))
    assert list(news) == [NameNews("gone")]


@pytest.mark.parametrize(
    ("changes", "condstore", "items"),
    [
        ({"uid_next": 3, "message_count": 2}, False, ("MESSAGES", "UIDNEXT")),
        ({"uid_next": 3, "message_count": 2, "highest_modseq": 2}, True,
         ("MESSAGES", "UIDNEXT", "HIGHESTMODSEQ", "UIDVALIDITY")),
        ({"highest_modseq": 2}, False, ()),
        ({"highest_modseq": 2}, True, ("UIDVALIDITY", "HIGHESTMODSEQ")),
        ({"highest_modseq": 2, "unseen_count": 1}, False, ("UIDVALIDITY", "UNSEEN")),
        ({"uid_validity": 8}, False, ("MESSAGES", "UIDNEXT", "UIDVALIDITY")),
    ],
)  # fmt: skip
def test_what_status_tells(
    changes: dict[str, object], condstore: bool, items: tuple[str, ...]
) -> None:
    groups = (EventGroup("SUBTREE", frozenset({"a"}), MESSAGES),)
    new = state(1, "a/b", **changes)
    unwatched = state(2, "ab", message_count=3)
    before = known(state(1, "a/b"), state(2, "ab"))
    found = status_news(groups, before, known(new, unwatched), None, condstore=condstore)
    assert list(found) == ([StatusNews("a/b", new, items)] if items else [])
    selected = FolderId(1)
    assert not list(status_news(groups, before, known(new), selected, condstore=condstore))


def test_too_many_folders_are_refused_and_later_end_it(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, other = connect(), connect()
    monkeypatch.setattr(watching, "FOLDERS_MAXIMUM", 5)
    command = b"NOTIFY SET (personal (MessageNew MessageExpunge))"
    assert client.command(command)[-1].startswith(b"t2 NO [NOTIFICATIONOVERFLOW] ")
    monkeypatch.setattr(watching, "FOLDERS_MAXIMUM", 6)
    assert client.command(command)[-1].startswith(b"t3 OK ")
    other.command(b"CREATE more")
    assert client.response() == b"* OK [NOTIFICATIONOVERFLOW] No more notifications\r\n"
    other.append("INBOX", MESSAGE)
    assert client.command(b"NOOP") == [b"t4 OK Done\r\n"]


def test_news_come_from_another_process(connect: Connect, other_imap: RunningServer) -> None:
    client, other = connect(), connect(other_imap)
    client.command(b"NOTIFY SET (inboxes (MessageNew MessageExpunge)) (personal (MailboxName))")
    other.append("Drafts", MESSAGE)
    assert client.response() == b"* STATUS Drafts (MESSAGES 1 UIDNEXT 2)\r\n"
    other.command(b"CREATE new")
    assert client.response() == b'* LIST (\\HasNoChildren) "/" new\r\n'
