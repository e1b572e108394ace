"""SEARCH: every key over the tables, and any tree against the same tree evaluated in Python."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.mailstore.flags import store_flags
from accounts.mailstore.query import (
    All,
    And,
    ChangedSince,
    DateIs,
    HasFlag,
    HeaderContains,
    Not,
    Or,
    Query,
    SizeIs,
    TextContains,
    UidRanges,
    Within,
)
from accounts.mailstore.search import search
from accounts.mailstore.search_texts import fold
from accounts.mailstore.values import FolderId, FolderState, MailboxId, ModSeq, Uid, new_message
from tests.accounts.mailstore_messages import deliver

Database = psycopg.Connection[Any]

MESSAGES = [
    b"From: Ann Example <ann@example.org>\r\nTo: bob@example.org\r\nSubject: Quarterly report\r\n"
    b"Date: Mon, 1 Jan 2024 00:30:00 +0100\r\nX-Odd.Name: a(b)c\r\n\r\nThe figures are attached.\r\n",
    "From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nCc: ann@example.org\r\nSubject: Straße\r\n"
    "Date: Tue, 2 Jan 2024 12:00:00 +0000\r\nBcc: hidden@example.org\r\n\r\n100% der_Zahlen\r\n".encode(),
    b"From: carol@example.org\r\nSubject: =?utf-8?b?5pel5pys6Kqe?=\r\nContent-Type: text/html; charset=utf-8\r\n"
    b"Date: Wed, 3 Jan 2024 23:30:00 -0500\r\n\r\n<p>re<b>port</b> &amp; <i>more</i></p>"
    + b" "
    * 2000,
    b"\r\nonly a body\r\n",
]
ARRIVED = [datetime(2024, 1, day, 23, 59, 59, tzinfo=UTC) for day in (1, 2, 3, 4)]
FLAGS: list[tuple[str, ...]] = [
    ("\\Seen",),
    ("\\Flagged", "$Label1"),
    (),
    ("\\Seen", "\\Deleted", "work"),
]


@pytest.fixture
def folder(database: Database, mailbox: MailboxId, inbox: FolderState) -> FolderId:
    """INBOX with UIDs 1 to 4."""
    for content, at, flags in zip(MESSAGES, ARRIVED, FLAGS, strict=True):
        deliver(database, mailbox, message=new_message(content), flags=flags, internal_date=at)
    return inbox.id


Find = Callable[[Query], list[int]]


@pytest.fixture
def find(database: Database, mailbox: MailboxId, folder: FolderId) -> Find:
    return lambda query: list(search(database, mailbox, folder, query))


def uids(*ranges: tuple[int, int]) -> UidRanges:
    return UidRanges(tuple((Uid(first), Uid(last)) for first, last in ranges))


KEYS: list[tuple[Query, list[int]]] = [
    (All(), [1, 2, 3, 4]),
    (Not(All()), []),
    (And(()), [1, 2, 3, 4]),
    (Or(()), []),
    (uids(), []),
    (uids((2, 3)), [2, 3]),
    (uids((1, 1), (3, 9)), [1, 3, 4]),
    (uids((3, 2), (4, 4)), [4]),
    (HasFlag("\\Seen"), [1, 4]),
    (HasFlag("\\DELETED"), [4]),
    (HasFlag("\\NoSuch"), []),
    (HasFlag("$label1"), [2]),
    (HasFlag("WORK"), [4]),
    (HasFlag("unknown"), []),
    (Not(HasFlag("unknown")), [1, 2, 3, 4]),
    (TextContains("subject", "report"), [1]),
    (TextContains("subject", "strasse"), [2]),
    (TextContains("subject", "本"), [3]),
    (TextContains("subject", ""), [1, 2, 3, 4]),
    (TextContains("sender", "jürgen"), [2]),
    (TextContains("sender", "ann@example"), [1]),
    (TextContains("recipients", "bob"), [1]),
    (TextContains("copied", "ann"), [2]),
    (TextContains("header_text", "x-odd"), [1]),
    (TextContains("body", "figures are"), [1]),
    (TextContains("body", "100% der_zahlen"), [2]),
    (TextContains("body", "100_ der"), []),
    (TextContains("body", "& more"), [3]),
    (TextContains("body", "only a body"), [4]),
    (TextContains("body", "quarterly"), []),
    (TextContains("text", "quarterly"), [1]),
    (TextContains("text", "figures"), [1]),
    (TextContains("text", "a\0b\ud800"), []),
    (HeaderContains("Bcc", "hidden"), [2]),
    (HeaderContains("bcc", ""), [2]),
    (HeaderContains("cc", "hidden"), []),
    (HeaderContains("SUBJECT", "quarterly"), [1]),
    (HeaderContains("subject", "ann"), []),
    (HeaderContains("x-odd.name", "a(b)c"), [1]),
    (HeaderContains("x-oddxname", ""), []),
    (HeaderContains("x-odd", ""), []),
    (HeaderContains("from", "."), [1, 2, 3]),
    (HeaderContains(".*", ""), []),
    (DateIs("internal", "on", date(2024, 1, 2)), [2]),
    (DateIs("internal", "before", date(2024, 1, 2)), [1]),
    (DateIs("internal", "since", date(2024, 1, 3)), [3, 4]),
    (DateIs("internal", "since", date.max), []),
    (DateIs("internal", "on", date.max), []),
    (DateIs("internal", "before", date.min), []),
    (DateIs("sent", "on", date(2024, 1, 1)), [1]),
    (DateIs("sent", "on", date(2024, 1, 3)), [3]),
    (DateIs("sent", "before", date(2024, 1, 2)), [1]),
    (DateIs("saved", "before", date(2024, 1, 5)), []),
    (DateIs("saved", "since", date(2024, 1, 5)), [1, 2, 3, 4]),
    (Within("younger", 60), []),
    (Within("older", 60), [1, 2, 3, 4]),
    (Within("older", 1 << 62), []),
    (SizeIs("larger", 2000), [3]),
    (SizeIs("smaller", 100), [4]),
    (SizeIs("smaller", 1 << 70), [1, 2, 3, 4]),
    (And((HasFlag("\\Seen"), Not(HasFlag("\\Deleted")))), [1]),
    (Or((TextContains("body", "figures"), uids((4, 4)))), [1, 4]),
    (Not(Or((HasFlag("\\Seen"), TextContains("subject", "strasse")))), [3]),
    (
        And(
            (SizeIs("larger", 1), DateIs("sent", "on", date(2024, 1, 1)), TextContains("text", "a"))
        ),
        [1],
    ),
]


def test_every_key(find: Find) -> None:
    found = {index: find(query) for index, (query, _) in enumerate(KEYS)}
    wrong = [
        (query, found[i], expected)
        for i, (query, expected) in enumerate(KEYS)
        if found[i] != expected
    ]
    assert wrong == []


def test_changed_since(
    database: Database, mailbox: MailboxId, folder: FolderId, find: Find
) -> None:
    stored = store_flags(database, mailbox, folder, [Uid(2), Uid(3)], "add", ("\\Answered",))
    assert find(ChangedSince(ModSeq(stored.modseq))) == [2, 3]
    assert find(ChangedSince(ModSeq(stored.modseq + 1))) == []
    assert find(ChangedSince(ModSeq((1 << 63) - 1))) == []


def test_a_folder_finds_only_its_own(
    database: Database, make_mailbox: Callable[..., MailboxId], folder: FolderId
) -> None:
    other = make_mailbox()
    assert search(database, other, folder, All()) == []
    assert search(database, other, FolderId(0), TextContains("text", "a")) == []


def test_a_search_is_one_statement(
    database: Database, mailbox: MailboxId, folder: FolderId, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    execute = database.execute

    def counted(query: Any, *args: Any, **kwargs: Any) -> Any:
        statements.append(query)
        return execute(query, *args, **kwargs)

    monkeypatch.setattr(database, "execute", counted)
    search(database, mailbox, folder, And((HasFlag("work"), TextContains("subject", "a"))))
    assert len(statements) == 1
    assert "mail_search_text" in statements[0]


LEAVES = [query for query, _ in KEYS if not isinstance(query, And | Or | Not)]
EXPECTED = {query: frozenset(expected) for query, expected in KEYS}
trees = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, max_size=3).map(lambda queries: And(tuple(queries))),
        st.lists(inner, max_size=3).map(lambda queries: Or(tuple(queries))),
    ),
    max_leaves=12,
)


def evaluated(query: Query) -> frozenset[int]:
    everything = frozenset({1, 2, 3, 4})
    match query:
        case Not(inner):
            return everything - evaluated(inner)
        case And(queries):
            return everything.intersection(*map(evaluated, queries))
        case Or(queries):
            return frozenset[int]().union(*map(evaluated, queries))
        case leaf:
            return EXPECTED[leaf]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(query=trees)
def test_any_tree(find: Find, query: Query) -> None:
    assert find(query) == sorted(evaluated(query))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.text(max_size=8), needle=st.text(max_size=12))
def test_any_header_needle_stands_for_itself(find: Find, name: str, needle: str) -> None:
    """What a client sends is never read as a pattern."""
    folded = fold(needle)
    expected = []
    for number, content in enumerate(MESSAGES, 1):
        lines = new_message(content).structure.header.split("\n")[1:]
        values = [
            line.partition(":")[2]
            for line in lines
            if line.partition(":")[0].strip() == name.lower()
        ]
        if any(folded in value for value in values):
            expected.append(number)
    if re.fullmatch(r"[!-9;-~]+", name):
        assert find(HeaderContains(name, folded)) == expected
    else:
        find(HeaderContains(name, folded))


def test_younger(database: Database, mailbox: MailboxId, inbox: FolderState) -> None:
    now = datetime.now(UTC)
    for age in (10, 100, 1000):
        deliver(database, mailbox, internal_date=now - timedelta(seconds=age))
    assert search(database, mailbox, inbox.id, Within("younger", 60)) == [1]
    assert search(database, mailbox, inbox.id, Within("older", 60)) == [2, 3]
