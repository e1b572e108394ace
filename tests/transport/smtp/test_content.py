"""The end of DATA, dot-stuffing, line ends, and the header of what is submitted."""

import itertools
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.smtp.content import DataDecoder, with_crlf
from transport.smtp.submitted_header import complete_header, read_header
from transport.smtp.trace_fields import count_received, new_trace_id

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def decode(stream: bytes, *cuts: int, maximum: int = 10_000) -> tuple[bytes, bytes, bool]:
    """(content, what follows, too large) of a stream cut into chunks."""
    decoder = DataDecoder(maximum)
    edges = [0, *sorted(cuts), len(stream)]
    for start, end in itertools.pairwise(edges):
        rest = decoder.feed(stream[start:end])
        if rest is not None:
            return (
                b"" if decoder.is_too_large else decoder.content(),
                rest + stream[end:],
                decoder.is_too_large,
            )
    raise AssertionError("no end")


@pytest.mark.parametrize(
    ("stream", "content", "rest"),
    [
        (b".\r\n", b"", b""),
        (b"a\r\n.\r\n", b"a\r\n", b""),
        (b"a\r\n.\r\nQUIT\r\n", b"a\r\n", b"QUIT\r\n"),
        (b"..a\r\n...\r\n.\r\n", b".a\r\n..\r\n", b""),
        (b".a\r\n.\r\n", b"a\r\n", b""),
        (b"a\n.\nb\r\n.\r\n", b"a\r\n.\r\nb\r\n", b""),
        (b"a\r.\rb\r\n.\r\n", b"a\r\n.\r\nb\r\n", b""),
        (b"a\n.\r\nb\r\n.\r\n", b"a\r\n.\r\nb\r\n", b""),
        (b"a\r\n.\nb\r\n.\r\n", b"a\r\n\r\nb\r\n", b""),
        (b"a\r\r\n.\r\n", b"a\r\n\r\n", b""),
        (b"\r\n.\r\n", b"\r\n", b""),
    ],
)
def test_only_crlf_dot_crlf_ends_the_data(stream: bytes, content: bytes, rest: bytes) -> None:
    for cut in range(len(stream) + 1):
        assert decode(stream, cut) == (content, rest, False)


@given(st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n"]), max_size=30), st.data())
def test_chunking_does_not_matter(pieces: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(pieces) + b"\r\n.\r\nrest"
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=6))
    assert decode(stream, *cuts) == decode(stream)


@given(st.lists(st.sampled_from([b"a", b".", b"", b"..x"]), max_size=20))
def test_stuffed_lines_come_back(lines: list[bytes]) -> None:
    content = b"".join(line + b"\r\n" for line in lines)
    stuffed = re.sub(rb"^\.", b"..", content, flags=re.MULTILINE)
    assert decode(stuffed + b".\r\n")[0] == content


def test_too_large_is_read_to_its_end() -> None:
    assert decode(b"a" * 200 + b"\r\n.\r\nNOOP", 50, 60, maximum=100) == (b"", b"NOOP", True)
    assert decode(b"a" * 98 + b"\r\n.\r\n", maximum=100)[2] is False


@given(st.binary(max_size=60))
def test_every_line_ends_in_crlf(content: bytes) -> None:
    clean = with_crlf(content)
    assert clean.count(b"\r") == clean.count(b"\n") == clean.count(b"\r\n")
    assert with_crlf(clean) == clean
    assert clean.replace(b"\r\n", b"") == re.sub(rb"[\r\n]", b"", content)


def test_bcc_goes_and_date_and_message_id_come() -> None:
    content = b"From: a@b.example\r\nBcc: x@y.example,\r\n z@y.example\r\nTo: q@r.example\r\n\r\nBcc: stays\r\n"
    completed = complete_header(read_header(content), NOW, lambda: "id@b.example", author=None)
    assert completed == (
        b"Date: Fri, 02 Jan 2026 03:04:05 +0000\r\nMessage-ID: <id@b.example>\r\n"
        b"From: a@b.example\r\nTo: q@r.example\r\n\r\nBcc: stays\r\n"
    )


def test_a_complete_header_is_left_alone() -> None:
    content = b"From: a@b.example\r\nDate: x\r\nMessage-ID: <y>\r\n\r\n"
    assert complete_header(read_header(content), NOW, lambda: "id", author=None) is content


def test_an_app_gets_its_display_name() -> None:
    author = ("The Shop", "shop.app@b.example")
    bare = b"From: <shop.app@b.example>\r\nDate: x\r\nMessage-ID: <y>\r\n\r\n"
    named = b"From: Own <shop.app@b.example>\r\nDate: x\r\nMessage-ID: <y>\r\n\r\n"
    completed = complete_header(read_header(bare), NOW, lambda: "id", author=author)
    assert completed.startswith(b"From: The Shop <shop.app@b.example>\r\n")
    assert completed.count(b"From:") == 1
    assert complete_header(read_header(named), NOW, lambda: "id", author=author) is named


def test_received_fields_are_counted_in_any_case() -> None:
    assert count_received(b"Received: a\r\nRECEIVED : b\r\nX-Received: c\r\n received: d\r\n") == 2


def test_trace_ids_sort_by_time_and_differ() -> None:
    ids = [new_trace_id() for _ in range(200)]
    assert len(set(ids)) == 200
    assert {len(one) for one in ids} == {22}
