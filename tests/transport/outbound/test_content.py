"""Line ends and dots."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.outbound.content import has_non_ascii_header, stuffed, with_crlf

LINES = st.lists(st.sampled_from([b".", b"..", b"a", b"", b".a", b"\xc3\xa9", b" ."]), max_size=12)


@given(LINES, st.integers(1, 9))
def test_stuffing_is_undone_line_by_line_whatever_the_chunks(lines: list[bytes], size: int) -> None:
    content = b"".join(line + b"\r\n" for line in lines)
    sent = b"".join(stuffed(content, size))
    received = [line[1:] if line.startswith(b".") else line for line in sent.split(b"\r\n")[:-1]]
    assert received == lines
    assert b".\r\n" not in [line + b"\r\n" for line in sent.split(b"\r\n")]


@given(st.binary(max_size=60))
def test_no_bare_line_end_leaves(content: bytes) -> None:
    sent = with_crlf(content)
    rest = sent.replace(b"\r\n", b"")
    assert b"\r" not in rest
    assert b"\n" not in rest
    assert not sent or sent.endswith(b"\r\n")


@pytest.mark.parametrize("content", [b"a: b\r\n\r\nc\r\n", b"", b"x\r\n"])
def test_a_sound_content_is_not_touched(content: bytes) -> None:
    assert with_crlf(content) is content


def test_only_the_header_asks_for_smtputf8() -> None:
    assert has_non_ascii_header("Subject: é\r\n\r\nx".encode())
    assert not has_non_ascii_header("Subject: e\r\n\r\né".encode())
