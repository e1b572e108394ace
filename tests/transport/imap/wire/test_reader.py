"""Cutting bytes into commands, in whatever chunks they come (RFC 9051 §4.3, RFC 7888)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.imap.wire.reader import (
    LINE_LIMIT,
    LITERAL_DROP_LIMIT,
    CommandReader,
    Event,
    Hopeless,
    LiteralWanted,
    Request,
    TooBig,
    TooLong,
)


def events(data: bytes, *cuts: int, append_limit: int = 0) -> list[Event]:
    """What a reader makes of `data` cut at `cuts`."""
    reader = CommandReader(append_limit)
    found: list[Event] = []
    start = 0
    for end in (*sorted(cuts), len(data)):
        reader.feed(data[start:end])
        start = max(start, end)
        while (event := reader.next_event()) is not None:
            found.append(event)
            if isinstance(event, Hopeless):
                return found
    return found


CASES = [
    (b"a NOOP\r\nb NOOP\r\n", [Request(b"a NOOP"), Request(b"b NOOP")]),
    (b"a NOOP\nb NOOP\n", [Request(b"a NOOP"), Request(b"b NOOP")]),
    (b"a NO", []),
    (b"\r\n", [Request(b"")]),
    (b"a X {3+}\r\nb\r\n y\r\n", [Request(b"a X {3+}\r\nb\r\n y")]),
    (b"a X {3}\r\n{9} {0+}\r\n\r\n", [LiteralWanted(), Request(b"a X {3}\r\n{9} {0+}\r\n")]),
    (b"a X {0}\r\n\r\n", [LiteralWanted(), Request(b"a X {0}\r\n")]),
    (b'a X "{3}"\r\n', [Request(b'a X "{3}"')]),
    (b"a X {99999}\r\nb NOOP\r\n", [TooBig(b"a"), Request(b"b NOOP")]),
    (b"a X {99999+}\r\n" + b"\n" * 99999 + b" z\r\nb NOOP\r\n", [TooBig(b"a"), Request(b"b NOOP")]),
    (
        b"a X {99999+}\r\n" + b"x" * 99999 + b" {5}\r\nb NOOP\r\n",
        [TooBig(b"a"), Request(b"b NOOP")],
    ),
    (b"a X {99999999999}\r\n", [TooBig(b"a")]),
    (b"t" * 128 + b" X {99999999999}\r\n", [TooBig(b"t" * 128)]),  # as long as a tag may be
    (b"a X {%d+}\r\n" % (LITERAL_DROP_LIMIT + 1), [TooBig(b"a"), Hopeless("literal too big")][1:]),
    (b"a X " + b"y" * LINE_LIMIT + b"\r\nb NOOP\r\n", [TooLong(b"a"), Request(b"b NOOP")]),
    (
        b"a X " + b"y" * LINE_LIMIT + b"{4+}\r\nc Z\n d\r\nb NOOP\r\n",
        [TooLong(b"a"), Request(b"b NOOP")],
    ),
    (b"\x00\xff {5\r\n", [Request(b"\x00\xff {5")]),
]


@pytest.mark.parametrize(("data", "expected"), CASES)
def test_whole(data: bytes, expected: list[Event]) -> None:
    assert events(data) == expected


@pytest.mark.parametrize(("data", "expected"), [case for case in CASES if len(case[0]) < 200])
def test_byte_by_byte(data: bytes, expected: list[Event]) -> None:
    assert events(data, *range(len(data))) == expected


@given(st.data())
def test_any_chunking_gives_the_same_events(data: st.DataObject) -> None:
    text, expected = data.draw(st.sampled_from(CASES))
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=8))
    assert events(text, *cuts) == expected


@given(
    st.lists(st.sampled_from([b"a X ", b"{3+}\r\n", b"{2}\r\n", b"\r\n", b"xy", b'"', b"{", b"\n"]))
)
def test_any_bytes_in_any_chunks(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    assert events(data) == events(data, *range(len(data)))


def test_an_append_may_be_larger_after_the_login() -> None:
    content = b"x" * 100_000
    command = b"a append INBOX {100000+}\r\n" + content
    assert events(command + b"\r\n") == [TooBig(b"a")]
    assert events(command + b"\r\n", append_limit=100_000) == [Request(command)]
    assert events(command + b"\r\n", append_limit=99_999) == [TooBig(b"a")]
    assert events(b"a LOGIN {100000}\r\n", append_limit=100_000) == [TooBig(b"a")]


def test_many_literals_are_no_way_around_the_limit() -> None:
    literal = b"{60000+}\r\n" + b"x" * 60_000
    assert events(b"a X " + literal + b"\r\n") == [Request(b"a X " + literal)]
    assert events(b"a X " + literal * 3 + b"\r\n") == [TooBig(b"a")]


def test_memory_stays_bounded_while_a_line_or_literal_is_dropped() -> None:
    for start in (b"a X ", b"a X {900000000+}\r\n"):
        reader = CommandReader()
        reader.feed(start)
        found = []
        for _ in range(100):
            reader.feed(b"y" * 65536)
            found.append(reader.next_event())
            assert len(reader) <= 2 * LINE_LIMIT
            if isinstance(found[-1], Hopeless):
                break
        assert (start == b"a X ") == isinstance(found[-1], Hopeless)


def test_bare_lines_between_commands() -> None:
    reader = CommandReader()
    reader.feed(b"a IDLE\r\nDONE\r\nb NOOP\r\nx")
    assert reader.next_event() == Request(b"a IDLE")
    assert reader.next_line() == b"DONE"
    assert reader.next_event() == Request(b"b NOOP")
    assert reader.next_line() is None
