"""Transfer encodings piece by piece, binary parts in base64, and previews: pure."""

import base64
import binascii
import quopri
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.mailstore.binary_parts import without_nul
from accounts.mailstore.decoding import decoder_for
from accounts.mailstore.previews import PREVIEW_CHARACTERS
from accounts.mailstore.structure import render


def decode(encoding: bytes, pieces: list[bytes]) -> bytes:
    decoder = decoder_for(encoding)
    assert decoder is not None
    return b"".join([*map(decoder.feed, pieces), decoder.finish()])


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place % (len(octets) + 1) for place in places} | {0, len(octets)})
    return [octets[a:b] for a, b in pairwise(ends)]


PLACES = st.lists(st.integers(min_value=0, max_value=5000), max_size=8)


@given(st.binary(max_size=500), PLACES, st.integers(min_value=1, max_value=80))
def test_base64_comes_back_however_it_is_cut(data: bytes, places: list[int], width: int) -> None:
    encoded = base64.b64encode(data)
    lines = b"\r\n".join(encoded[at : at + width] for at in range(0, len(encoded), width))
    assert decode(b"base64", cut(lines, places)) == data
    assert decode(b"base64", cut(lines.rstrip(b"="), places)) == data


@given(st.binary(max_size=500), PLACES)
def test_quoted_printable_comes_back_however_it_is_cut(data: bytes, places: list[int]) -> None:
    encoded = quopri.encodestring(data, quotetabs=True)
    assert decode(b"quoted-printable", cut(encoded, places)) == binascii.a2b_qp(encoded)


@given(st.binary(max_size=300), PLACES)
def test_what_is_none_is_decoded_alike_however_it_is_cut(noise: bytes, places: list[int]) -> None:
    for encoding in (b"base64", b"quoted-printable", b"8bit"):
        assert decode(encoding, cut(noise, places)) == decode(encoding, [noise])


def test_a_line_of_quoted_printable_without_end_is_not_held() -> None:
    decoder = decoder_for(b"quoted-printable")
    assert decoder is not None
    line = b"=41" * 30_000
    given_back = decoder.feed(line[:-1])
    assert len(given_back) > 29_000
    assert given_back + decoder.feed(line[-1:]) + decoder.finish() == b"A" * 30_000


def test_an_encoding_that_nobody_knows_has_no_decoder() -> None:
    assert decoder_for(b"x-uuencode") is None


NESTED = (
    b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: BINARY\r\n\r\n"
    b"--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: binary\r\n\r\nno nul\r\n"
    b"--b\r\nContent-Type: image/gif\r\nContent-Transfer-Encoding:\r\n binary\r\nX: y\r\n\r\n%b\r\n--b--\r\n"
)


def test_a_binary_part_with_nul_is_put_into_base64() -> None:
    octets = bytes(range(256)) * 3
    encoded = without_nul(NESTED % octets)
    assert encoded is not None
    assert b"\0" not in encoded
    lines = base64.encodebytes(octets).replace(b"\n", b"\r\n").strip()
    expected = (NESTED % lines).replace(b"\r\n binary\r\nX", b" base64\r\nX")
    assert encoded == expected.replace(b"BINARY", b"8bit")


@pytest.mark.parametrize(
    "content",
    [
        b"Subject: \0\r\n\r\nx",
        b"Subject: x\r\n\r\n\0",
        NESTED.replace(b"binary\r\n\r\nno nul", b"7bit\r\n\r\n\0") % b"x",
    ],
)
def test_nul_elsewhere_is_no_mail(content: bytes) -> None:
    assert without_nul(content) is None


@given(st.binary(max_size=300))
def test_no_message_is_changed_but_for_nul(content: bytes) -> None:
    encoded = without_nul(content)
    assert encoded is None or (b"\0" not in encoded and (b"\0" in content or encoded == content))


@pytest.mark.parametrize(
    ("content", "preview"),
    [
        (b"Subject: x\r\n\r\nHello\r\n\r\n  Bob\0,\r\n> quoted\r\nbye", "Hello Bob , bye"),
        (b"Content-Type: text/html\r\n\r\n<p>a&nbsp;b</p>\xe2\x80\x8b&zwnj;<b>c</b>", "a b c"),
        (b"Content-Type: image/gif\r\n\r\nGIF", ""),
        (b"Content-Type: text/calendar\r\n\r\nBEGIN", ""),
        (b"Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nno", ""),
        (
            b"Content-Type: multipart/alternative; boundary=b\r\n\r\n"
            b"--b\r\n\r\n> only quoted\r\n--b\r\nContent-Type: text/html\r\n\r\n<i>html</i>\r\n--b--",
            "html",
        ),
        (b"\r\n" + b"word " * 100, ("word " * 40).strip()),
        (b"\r\n" + "é".encode() * 300, "é" * PREVIEW_CHARACTERS),
    ],
)
def test_the_preview_is_the_beginning_of_what_is_read(content: bytes, preview: str) -> None:
    assert render(content).preview == preview


@given(st.binary(max_size=400))
def test_any_bytes_have_a_preview_that_the_database_takes(content: bytes) -> None:
    preview = render(content).preview
    assert len(preview) <= PREVIEW_CHARACTERS
    assert "\0" not in preview
    assert "\n" not in preview
    preview.encode()
