"""Sequence sets, modified UTF-7, dates, patterns, strings: the small pure parts."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.imap.wire.cursor import Cursor
from transport.imap.wire.dates import format_date_time, parse_date_time
from transport.imap.wire.folder_names import render_folder_name
from transport.imap.wire.responses import string
from transport.imap.wire.sequence import SequenceSet, format_numbers, parse_sequence_set
from transport.imap.wire.utf7 import FolderNameError, decode_folder_name, encode_folder_name


def parse(text: bytes) -> SequenceSet:
    parsed = parse_sequence_set(text, 0)
    assert parsed is not None
    assert parsed[1] == len(text)
    return parsed[0]


@pytest.mark.parametrize(
    ("text", "uids", "chosen"),
    [
        (b"1:*", [3, 5, 9], [3, 5, 9]),
        (b"*", [3, 5, 9], [9]),
        (b"*:4", [3, 5, 9], [5, 9]),
        (b"100:*", [3, 5, 9], [9]),
        (b"9,3,3:5", [3, 5, 9], [3, 5, 9]),
        (b"4,6:8", [3, 5, 9], []),
        (b"1:*", [], []),
    ],
)
def test_sets_of_uids(text: bytes, uids: list[int], chosen: list[int]) -> None:
    assert [uids[place] for place in parse(text).select(uids)] == chosen


@pytest.mark.parametrize(
    ("text", "count", "numbers"),
    [(b"2:1", 3, [0, 1]), (b"*", 3, [2]), (b"5:*", 3, [2]), (b"1:*", 0, [])],
)
def test_sets_of_numbers(text: bytes, count: int, numbers: list[int]) -> None:
    assert parse(text).numbers(count) == numbers


@pytest.mark.parametrize(("text", "count"), [(b"4", 3), (b"1:4", 3), (b"1", 0)])
def test_a_number_past_the_end_is_an_error(text: bytes, count: int) -> None:
    with pytest.raises(IndexError):
        parse(text).numbers(count)


@given(st.sets(st.integers(1, 60), min_size=1))
def test_formatted_numbers_parse_to_the_same(numbers: set[int]) -> None:
    ordered = sorted(numbers)
    ranges = parse(format_numbers(ordered)).resolve(60)
    assert [n for low, high in ranges for n in range(low, high + 1)] == ordered


def test_numbers_keep_their_order() -> None:
    assert format_numbers([5, 6, 1, 2, 9]) == b"5:6,1:2,9"


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("INBOX", b"INBOX"),
        ("a & b", b"a &- b"),
        ("~peter/mail/台北/日本語", b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
        ("Größe", b"Gr&APYA3w-e"),
        ("😀", b"&2D3eAA-"),
    ],
)
def test_modified_utf7(name: str, wire: bytes) -> None:
    assert encode_folder_name(name) == wire
    assert decode_folder_name(wire) == name


@pytest.mark.parametrize("wire", [b"a&b", b"&", b"&AB", b"&AB-", b"&2D0-", b"\xff"])
def test_what_is_no_modified_utf7(wire: bytes) -> None:
    with pytest.raises(FolderNameError):
        decode_folder_name(wire)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_every_name_survives_the_wire(name: str) -> None:
    assert decode_folder_name(encode_folder_name(name)) == name
    rendered = Cursor(render_folder_name(name)) if name else None
    assert rendered is None or rendered.folder() in (name, name.rstrip("/") or "/", inbox(name))


def inbox(name: str) -> str:
    return "INBOX" + name[5:].rstrip("/")


@given(st.binary())
def test_every_string_survives_the_wire(value: bytes) -> None:
    assert Cursor(string(value)).string() == value


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)))  # noqa: DTZ001 - the zone is put on below
def test_every_date_survives_the_wire(naive: datetime) -> None:
    when = naive.replace(microsecond=0, tzinfo=UTC)
    assert parse_date_time(format_date_time(when).strip(b'"')) == when
