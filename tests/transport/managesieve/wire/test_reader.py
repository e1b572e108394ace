"""The command reader: any chunking gives the same commands, whatever comes memory is bounded."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.managesieve.wire.reader import (
    DROP_LIMIT,
    LINE_LIMIT,
    CommandReader,
    Event,
    Hopeless,
    Line,
    TooBig,
)


def read(chunks: Iterable[bytes], literal_limit: int = LINE_LIMIT) -> list[Event]:
    reader = CommandReader()
    reader.literal_limit = literal_limit
    events: list[Event] = []
    for chunk in chunks:
        reader.feed(chunk)
        while (event := reader.next_event()) is not None:
            events.append(event)
            if isinstance(event, Hopeless):
                return events
        held = len(reader)
        assert held <= 2 * LINE_LIMIT + literal_limit + len(chunk)
    return events


def test_lines_and_literals() -> None:
    assert read([b'PUTSCRIPT "a" {7+}\r\nke\r\np;x\r\nNOOP\nLOGOUT\r\n{0+}\r\n\r\n']) == [
        Line(b'PUTSCRIPT "a" {7+}\r\nke\r\np;x'),
        Line(b"NOOP"),
        Line(b"LOGOUT"),
        Line(b"{0+}\r\n"),
    ]


def test_a_literal_may_be_followed_by_another() -> None:
    whole = b"RENAMESCRIPT {1+}\r\na {3+}\r\nb\r\n\r\n"
    assert read([whole]) == [Line(whole[:-2])]


@pytest.mark.parametrize("where", range(24))
def test_a_literal_over_the_limit_is_dropped_wherever_it_is_cut(where: int) -> None:
    whole = b"PUT {9+}\r\n123456789 {2+}\r\nxy\r\nNOOP\r\n"
    assert read([whole[:where], whole[where:]], literal_limit=LINE_LIMIT + 1) == [
        Line(whole[:-8]),
        Line(b"NOOP"),
    ]
    large = b"PUT {30000+}\r\n" + b"{9+}\r\n" * 5000 + b" {2+}\r\nxy\r\nNOOP\r\n"
    assert read([large[:where], large[where:]], literal_limit=20_000) == [
        TooBig(True),
        Line(b"NOOP"),
    ]


def test_literals_count_together() -> None:
    assert read(
        [b"A {9000+}\r\n" + b"x" * 9000 + b" {9000+}\r\n" + b"y" * 9000 + b"\r\nB\r\n"]
    ) == [
        TooBig(True),
        Line(b"B"),
    ]


@pytest.mark.parametrize(
    "octets",
    [
        b"x" * (LINE_LIMIT + 1),
        b"NOOP {5}\r\n",
        b"NOOP {%d+}\r\n" % (LINE_LIMIT + 1),
        b"NOOP {99999999999999999999+}\r\n",
        b"A {1+}\r\nb " * (LINE_LIMIT // 4),
    ],
)
def test_nothing_follows_what_cannot_be_read(octets: bytes) -> None:
    assert isinstance(read([octets])[-1], Hopeless)
    assert isinstance(read([octets[i : i + 1] for i in range(len(octets))])[-1], Hopeless)


def test_what_is_far_too_large_is_not_read_after_the_login_either() -> None:
    assert isinstance(read([b"P {%d+}\r\n" % (DROP_LIMIT + 1)], 1 << 20)[-1], Hopeless)


def test_a_command_without_room_is_dropped_to_its_end() -> None:
    reader = CommandReader()
    reader.literal_limit = 1 << 20
    reader.feed(b'PUTSCRIPT "a" {100000+}\r\n' + b"x" * 50_000)
    assert reader.next_event() is None
    reader.give_up()
    assert reader.next_event() is None
    assert len(reader) == 0
    reader.feed(b"x" * 50_000 + b"\r\nNOOP\r\n")
    assert reader.next_event() == TooBig(False)
    assert reader.next_event() == Line(b"NOOP")


COMMAND = st.one_of(
    st.binary(max_size=40),
    st.binary(max_size=60).map(lambda octets: b"X {%d+}\r\n%b\r\n" % (len(octets), octets)),
    st.sampled_from([b"NOOP\r\n", b"\r\n", b"{0+}\r\n\r\n", b"A {3}\r\n", b"A {20000+}\r\n"]),
)


@given(st.lists(COMMAND, max_size=8), st.lists(st.integers(1, 20), min_size=1, max_size=8))
def test_any_chunking_gives_the_same(commands: list[bytes], sizes: list[int]) -> None:
    whole = b"".join(commands)
    chunks, at, turn = [], 0, 0
    while at < len(whole):
        size = sizes[turn % len(sizes)]
        chunks.append(whole[at : at + size])
        at, turn = at + size, turn + 1
    assert read(chunks) == read([whole])
    assert read(chunks, 1 << 20) == read([whole], 1 << 20)
