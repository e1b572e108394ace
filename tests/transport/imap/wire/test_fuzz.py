"""Whatever bytes come: the parser answers, the reader holds little, and both take time linear in the size."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transport.imap.handlers.registry import load_modules
from transport.imap.wire.commands.registry import _PARSERS, Tagged, Unparsable, parse_command
from transport.imap.wire.modes import Modes
from transport.imap.wire.reader import (
    LINE_LIMIT,
    LITERAL_LIMIT,
    CommandReader,
    Hopeless,
    LiteralWanted,
    NoRoom,
    Request,
)

load_modules("transport.imap.wire.commands")

NAMES = sorted(_PARSERS)
WORDS = [
    *(
        b"(",
        b")",
        b" ",
        b"  ",
        b"[",
        b"]",
        b"<",
        b">",
        b"{3}\r\nabc",
        b"{3+}\r\n\r\n\0",
        b"{0}\r\n",
    ),
    *(b"~{2}\r\n\0\xff", b"{9999999999}\r\n", b"{1", b"}", b'"', b'"a"', b'"\\""', b'"\\', b"\\"),
    *(b"NIL", b"*", b"%", b"1", b"0", b"1:*", b"4294967296", b"99999999999999999999999", b"$"),
    *(b"1,2:3", b",", b":", b".", b"\0", b"\r", b"\n", b"\xff", b"\xc3\xa9", b"&AOk-", b"&", b"-"),
    *(b"\\Seen", b"\\*", b"FLAGS", b"+FLAGS.SILENT", b"UNCHANGEDSINCE", b"CHANGEDSINCE", b"ALL"),
    *(b"OR", b"NOT", b"FUZZY", b"SUBJECT", b"HEADER", b"SINCE", b"1-Jan-2020", b"UID", b"CHARSET"),
    *(
        b"BODY[",
        b"BODY.PEEK[HEADER.FIELDS (",
        b"BINARY.SIZE[1.",
        b"<0.1>",
        b"RETURN (",
        b"ENVELOPE",
    ),
    *(b"PARTIAL 1:2", b"MODSEQ", b"INBOX", b"Shared/", b"REVERSE DATE", b"UTF-8", b"REFERENCES"),
    *(
        b"(MESSAGES UNSEEN)",
        b"STATUS (",
        b"(SELECTED (MessageNew",
        b"NONE",
        b"QRESYNC (",
        b"x" * 999,
    ),
    *(b'"1-Jan-2020 00:00:00 +0000"', b"/shared/comment", b"lrs", b"STORAGE", b"UTF8 (~{1}\r\nx)"),
]
every_mode = Modes(
    enabled={"IMAP4REV2", "UTF8=ACCEPT", "QRESYNC", "CONDSTORE", "UIDONLY"}, condstore=True
)

soup = st.lists(st.sampled_from(WORDS), max_size=30).map(b"".join)
spaced = st.lists(st.sampled_from(WORDS), max_size=12).map(b" ".join)
commands = st.builds(
    lambda name, rest: b"a " + name.encode() + b" " + rest,
    st.sampled_from(NAMES),
    st.one_of(soup, spaced, st.binary(max_size=80)),
)


@settings(max_examples=1500, deadline=None)
@given(st.one_of(commands, st.binary(max_size=200), soup), st.sampled_from([Modes(), every_mode]))
def test_every_input_is_a_command_or_none(buffer: bytes, modes: Modes) -> None:
    result = parse_command(buffer, modes)
    assert isinstance(result, Tagged | Unparsable)
    if isinstance(result, Unparsable):
        assert result.text.isascii()
        assert not set(result.text) & {"\r", "\n", "\0"}
        assert result.tag.isascii()
        assert not set(result.tag) & set(b'\r\n\0 (){"')


def test_names_are_loaded() -> None:
    assert {"LOGIN", "SEARCH", "UID FETCH", "LIST", "APPEND", "AUTHENTICATE"} <= set(NAMES)


def repeated(start: bytes, middle: bytes, end: bytes = b"") -> Callable[[int], bytes]:
    return lambda size: start + middle * (size // len(middle)) + end


HOSTILE = {
    "parentheses": repeated(b"a SEARCH ", b"("),
    "pairs": repeated(b"a SEARCH ", b"()"),
    "nots": repeated(b"a SEARCH ", b"NOT "),
    "ors": repeated(b"a SEARCH ", b"OR ", b"ALL"),
    "keys": repeated(b"a SEARCH ", b"SEEN "),
    "nested lists": repeated(b"a LIST (", b"(", b') "" *'),
    "numbers": repeated(b"a FETCH 1", b",1", b" UID"),
    "ranges": repeated(b"a FETCH 1", b",1:4294967295", b" UID"),
    "digits": repeated(b"a FETCH ", b"9", b" UID"),
    "items": repeated(b"a FETCH 1 (UID", b" UID", b")"),
    "sections": repeated(b"a FETCH 1 BODY[", b"1.", b"]"),
    "header names": repeated(b"a FETCH 1 BODY[HEADER.FIELDS (x", b" x", b")]"),
    "flags": repeated(b"a STORE 1 FLAGS (a", b" a", b")"),
    "flags without an end": repeated(b"a STORE 1 FLAGS (", b"a "),
    "escapes": repeated(b'a LOGIN "', b"\\\\"),
    "open quotes": repeated(b"a LOGIN ", b'"'),
    "empty strings": repeated(b"a LOGIN ", b'""'),
    "literals": repeated(b"a LOGIN ", b"{0}\r\n"),
    "spaces": repeated(b"a LOGIN", b" "),
    "wildcards": repeated(b'a LIST "" ', b"%*"),
    "ampersands": repeated(b"a SELECT ", b"&"),
    "utf-7": repeated(b"a SELECT ", b"&AOk-"),
    "separators": repeated(b"a SELECT ", b"/"),
    "tag": repeated(b"", b"a", b" NOOP"),
    "name": repeated(b"a ", b"X"),
    "braces": repeated(b"a ", b"{"),
    "status items": repeated(b"a STATUS x (", b"MESSAGES ", b")"),
    "patterns": repeated(b'a LIST "" (', b'"a" ', b")"),
    "identification": repeated(b"a ID (", b'"a" "b" ', b")"),
    "enable": repeated(b"a ENABLE", b" X"),
    "sort keys": repeated(b"a SORT (", b"REVERSE DATE ", b") UTF-8 ALL"),
    "notify": repeated(b"a NOTIFY SET ", b"(SELECTED (MessageNew "),
    "annotations": repeated(b"a GETMETADATA x (", b"/shared/a ", b")"),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
def test_time_grows_with_the_size_and_no_faster(make: Callable[[int], bytes]) -> None:
    def seconds(size: int) -> float:
        buffer = make(size)
        best = 10.0
        for _ in range(3):
            start = time.process_time()
            parse_command(buffer, every_mode)
            parse_command(buffer)
            best = min(best, time.process_time() - start)
        return best

    small, large = seconds(LINE_LIMIT // 8), seconds(LINE_LIMIT)
    assert large < 0.5
    assert large < 0.002 or large < 8 * 4 * max(small, 0.0002)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.one_of(
            soup,
            st.binary(max_size=100),
            st.sampled_from(
                [
                    b"\r\n",
                    b"a X {5}\r\n",
                    b"a X {5+}\r\n",
                    b"{70000+}\r\n",
                    b"y" * 70_000,
                    b"{9}\r\n",
                ]
            ),
        ),
        max_size=40,
    )
)
def test_the_reader_holds_little_and_never_loops(chunks: list[bytes]) -> None:
    reader = CommandReader()
    for chunk in chunks:
        reader.feed(chunk)
        for _ in range(len(chunk) + 2):  # each event takes at least an octet
            event = reader.next_event()
            if event is None:
                break
            if isinstance(event, Hopeless):
                return
            if isinstance(event, Request):
                assert len(event.buffer) <= LINE_LIMIT + LITERAL_LIMIT + 64
        else:
            raise AssertionError("more events than octets")
        assert len(reader) <= LINE_LIMIT + LITERAL_LIMIT + 70_000


def test_an_endless_refused_literal_is_dropped_in_little_memory() -> None:
    reader = CommandReader()
    reader.feed(b"a X {%d+}\r\n" % 10**9)
    block = b"x\n" * 50_000
    for _ in range(200):
        reader.feed(block)
        assert reader.next_event() is None
        assert len(reader) < 1000


def test_reading_byte_by_byte_is_linear() -> None:
    def seconds(size: int) -> float:
        reader = CommandReader()
        start = time.process_time()
        for _ in range(size):
            reader.feed(b"x")
            assert reader.next_event() is None
        return time.process_time() - start

    seconds(1000)
    small, large = seconds(6_000), seconds(48_000)
    assert large < 8 * 4 * max(small, 0.001)


def test_giving_up_within_a_literal_drops_it_and_goes_on() -> None:
    reader = CommandReader(append_limit=10**6)
    reader.feed(b"t1 APPEND x {500000+}\r\n" + b"z" * 300_000)
    assert reader.next_event() is None
    reader.give_up()
    assert len(reader) <= 300_000
    assert reader.next_event() is None
    assert len(reader) == 0
    reader.feed(b"z" * 200_000 + b" {4+}\r\n\r\n\r\n\r\nt2 NOOP\r\n")
    assert reader.next_event() == NoRoom(b"t1")
    assert reader.next_event() == Request(b"t2 NOOP")


def test_an_announced_literal_is_abandoned() -> None:
    reader = CommandReader(append_limit=10**6)
    reader.feed(b"t1 APPEND x {500000}\r\n")
    assert reader.next_event() == LiteralWanted()
    assert reader.literal_size == 500_000
    assert reader.abandon() == b"t1"
    reader.feed(b"t2 NOOP\r\n")
    assert reader.next_event() == Request(b"t2 NOOP")
