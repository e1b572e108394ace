"""Bytes to typed commands (RFC 9051 §6, §9)."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import transport.imap.server  # noqa: F401 - registers every command
from accounts.mailstore import query
from transport.imap.wire.commands.registry import Tagged, Unparsable, is_http, parse_command
from transport.imap.wire.commands.types import (
    Append,
    Authenticate,
    Copy,
    Create,
    Expunge,
    Fetch,
    FolderCommand,
    Id,
    List,
    Login,
    Plain,
    Returns,
    Search,
    Select,
    Status,
    Store,
    Thread,
    Upload,
)
from transport.imap.wire.fetch_items import Attribute, Section
from transport.imap.wire.search_keys import And, Leaf, Messages, Not, Or
from transport.imap.wire.sequence import STAR, SequenceSet

ONE = SequenceSet(((1, 1),))
NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("text", "command"),
    [
        (b"noop", Plain("NOOP")),
        (b'LOGIN "a \\"b\\\\" {3}\r\nx y', Login(b'a "b\\', b"x y")),
        (b"LOGIN a]b %".replace(b" %", b" {0+}\r\n"), Login(b"a]b", b"")),
        (b"AUTHENTICATE plain AGEAYg==", Authenticate("PLAIN", b"\0a\0b")),
        (b"AUTHENTICATE PLAIN =", Authenticate("PLAIN", b"")),
        (b"AUTHENTICATE PLAIN", Authenticate("PLAIN", None)),
        (b"ID NIL", Id(())),
        (b'ID ("a" NIL "b" "c")', Id(((b"a", None), (b"b", b"c")))),
        (b"SELECT inbox", Select("inbox", False, False)),
        (b"EXAMINE INBOX/Sub (CONDSTORE)", Select("INBOX/Sub", True, True)),
        (b"CREATE Inboxes/", Create("Inboxes", ())),
        (b"CREATE Bin (USE (\\Trash))", Create("Bin", ("\\Trash",))),
        (b"DELETE &ZeVnLIqe-", FolderCommand("DELETE", "日本語")),
        (b'LIST "" *', List("LIST", "", ("*",), NONE, NONE, (), False)),
        (b"LSUB a/ b%", List("LSUB", "a/", ("b%",), NONE, NONE, (), False)),
        (
            b'LIST (Subscribed) "" (a "b c" "") RETURN (CHILDREN STATUS (messages UNSEEN MESSAGES))',
            List(
                "LIST",
                "",
                ("a", "b c", ""),
                frozenset(("SUBSCRIBED",)),
                frozenset(("CHILDREN", "STATUS")),
                ("MESSAGES", "UNSEEN"),
                True,
            ),
        ),
        (b"STATUS x (messages size)", Status("x", ("MESSAGES", "SIZE"))),
        (
            b'APPEND x (\\Seen a) " 7-Jul-1996 02:44:25 -0700" {2}\r\nhi',
            Append(
                "x",
                (Upload((b"\\Seen", b"a"), datetime(1996, 7, 7, 9, 44, 25, tzinfo=UTC), b"hi"),),
            ),
        ),
        (
            b"FETCH 1,3:* (UID BODY.PEEK[1.2.HEADER.FIELDS (a)]<3.4>) (CHANGEDSINCE 9)",
            Fetch(
                SequenceSet(((1, 1), (3, STAR))),
                (
                    Attribute(b"UID"),
                    Section(
                        (1, 2),
                        "HEADER.FIELDS",
                        (b"a",),
                        True,
                        (3, 4),
                        b"BODY[1.2.HEADER.FIELDS (a)]<3>",
                    ),
                ),
                False,
                9,
            ),
        ),
        (
            b"uid fetch 1 body[]",
            Fetch(ONE, (Section((), "", (), False, None, b"BODY[]"),), True, None),
        ),
        (
            b"STORE 1 -flags.silent \\Seen a",
            Store(ONE, "remove", (b"\\Seen", b"a"), True, False, None),
        ),
        (b"UID STORE 1 (UNCHANGEDSINCE 3) FLAGS ()", Store(ONE, "replace", (), False, True, 3)),
        (b"UID MOVE 1 x", Copy("MOVE", ONE, "x", True)),
        (b"UID EXPUNGE 1", Expunge(ONE)),
        (b"SEARCH ALL", Search(Leaf(query.All()), False, None)),
        (
            b"UID SEARCH RETURN () UNSEEN",
            Search(Not(Leaf(query.HasFlag("\\Seen"))), True, Returns(frozenset(("ALL",)))),
        ),
        (
            b'SEARCH CHARSET utf-8 OR (FROM "\xc3\x84" 1) NOT KEYWORD x SINCE 1-Feb-1994',
            Search(
                And(
                    (
                        Or(
                            And((Leaf(query.TextContains("sender", "ä")), Messages(ONE, False))),
                            Not(Leaf(query.HasFlag("x"))),
                        ),
                        Leaf(query.DateIs("internal", "since", date(1994, 2, 1))),
                    )
                ),
                False,
                None,
            ),
        ),
    ],
)
def test_command(text: bytes, command: object) -> None:
    parsed = parse_command(b"a1 " + text)
    assert isinstance(parsed, Tagged), parsed
    assert parsed.command == command
    assert parse_command(b"a1 " + text + b"  ") == parsed  # spaces at the end are forgiven
    assert parsed.tag == b"a1"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"a",
        b"a ",
        b"+ NOOP",
        b"a XYZZY",
        b"a NOOP x",
        b"a LOGIN x",
        b'a LOGIN "x y',
        b'a LOGIN "x\\y" z',
        b"a LOGIN {5}\r\nabc",
        b"a FETCH 1 ()",
        b"a FETCH 0 FLAGS",
        b"a FETCH 1:99999999999 FLAGS",
        b"a UID STORE 4294967296 +FLAGS (x)",  # one more than a UID can be
        b"a FETCH 1:4294967296 FLAGS",
        b"a FETCH 1 BODY[1.]",
        b"a RENAME {3+}\r\na\x00b c",
        b'a LIST "" &AAA-',
        b"a FETCH 1 BINARY[2.1.]",
        b"a FETCH 1 BODY[1.]]",
        b"a FETCH 1 BODY[]<5>",
        b"a FETCH 1 BODY[HEADER.FIELDS ()]",
        b"a STORE 1 FLAGS (\\Seen",
        b"a STORE 1 ^FLAGS \\Seen",
        b"a SEARCH",
        b"a SEARCH (ALL",
        b"a SEARCH SINCE 31-Feb-2000",
        b"a SEARCH " + b"NOT " * 200 + b"ALL",
        b"a SEARCH " + b"(" * 200 + b"ALL" + b")" * 200,
        b'a APPEND x "31-Feb-2000 00:00:00 +0000" {1}\r\nx',
        b'a APPEND x "01-Jan-0001 00:00:00 +2359" {1}\r\nx',
        b"a AUTHENTICATE PLAIN !!!",
        b"a SELECT a&b",
        b"a SELECT x (QRESYNC)",
        b"a STATUS x ()",
    ],
)
def test_bad_command(text: bytes) -> None:
    parsed = parse_command(text)
    assert isinstance(parsed, Unparsable)
    assert parsed.condition == "BAD"


def test_what_is_in_an_unknown_charset_is_not_read() -> None:
    """The handler answers NO, after a SAVE has emptied what was saved (RFC 5182 §2.1)."""
    for text, command in (
        (b"SEARCH CHARSET KOI8-R SUBJECT {1}\r\n\xc1", Search(None, False, None)),
        (b"UID SORT (DATE) KOI8-R ALL", Search(None, True, None, (("DATE", False),))),
        (b"THREAD REFERENCES KOI8-R ALL", Thread("REFERENCES", None, False)),
    ):
        parsed = parse_command(b"a " + text)
        assert isinstance(parsed, Tagged), parsed
        assert parsed.command == command


WORDS = [
    b"a",
    b"UID",
    b"FETCH",
    b"SEARCH",
    b"STORE",
    b"APPEND",
    b"LIST",
    b"1:*",
    b"(",
    b")",
    b'"',
    b"{1}\r\n",
]


@given(st.one_of(st.binary(max_size=80), st.lists(st.sampled_from(WORDS)).map(b" ".join)))
def test_no_input_raises(text: bytes) -> None:
    assert isinstance(parse_command(text), Tagged | Unparsable)


def test_http_is_known() -> None:
    assert is_http(b"GET /index.html HTTP/1.1")
    assert not is_http(b"GET NOOP")
