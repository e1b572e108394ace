"""Replies and EHLO keywords."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.outbound.replies import (
    Reply,
    ReplySyntaxError,
    join_lines,
    parse_extensions,
    parse_line,
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"250 ok", (250, True, "ok")),
        (b"250-more", (250, False, "more")),
        (b"250", (250, True, "")),
        (b"550 5.1.1 \xff?", (550, True, "5.1.1 \ufffd?")),
    ],
)
def test_a_reply_line(line: bytes, expected: tuple[int, bool, str]) -> None:
    assert parse_line(line) == expected


@given(st.binary(max_size=12))
def test_nothing_but_its_own_error_comes_out_of_the_parser(line: bytes) -> None:
    with contextlib.suppress(ReplySyntaxError):
        code, _, _ = parse_line(line)
        assert 200 <= code <= 599


@pytest.mark.parametrize("line", [b"", b"25", b"HTTP/1.1 400", b"150 x", b"600 x", b"250x"])
def test_what_is_no_reply(line: bytes) -> None:
    with pytest.raises(ReplySyntaxError):
        parse_line(line)


def test_the_keywords_of_ehlo() -> None:
    reply = join_lines(
        [
            (250, False, "mx.example.test hello"),
            (250, False, "size 1000"),
            (250, False, "AUTH=LOGIN"),
            (250, False, "AUTH plain LOGIN"),
            (250, True, "8BITMIME"),
        ]
    )
    offered = parse_extensions(reply)
    assert offered.size == 1000
    assert offered.mechanisms == ("PLAIN", "LOGIN")
    assert "8BITMIME" in offered
    assert "DSN" not in offered


@pytest.mark.parametrize("size", ["", "0", "x", "-1"])
def test_a_size_that_says_nothing(size: str) -> None:
    assert parse_extensions(Reply(250, ("x", f"SIZE {size}"))).size is None
