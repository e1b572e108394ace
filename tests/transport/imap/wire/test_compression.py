"""COMPRESS=DEFLATE's streams (RFC 4978)."""

import contextlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.imap.wire.compression import PIECE, BadDeflate, Deflater, Inflater


def inflate_all(inflater: Inflater) -> bytes:
    whole = b""
    while piece := inflater.piece():
        assert len(piece) <= PIECE
        whole += piece
    return whole


def compressed(data: bytes, end: int = zlib.Z_SYNC_FLUSH) -> bytes:
    stream = zlib.compressobj(6, zlib.DEFLATED, -15)
    return stream.compress(data) + stream.flush(end)


@given(st.lists(st.binary(max_size=300)), st.integers(1, 40))
def test_what_is_deflated_is_inflated_in_any_chunks(parts: list[bytes], size: int) -> None:
    deflater, inflater = Deflater(), Inflater()
    sent = b""
    for number, part in enumerate(parts):
        sent += deflater.deflate(part)
        if number % 3 == 2:
            deflater.forget()  # the client sees no difference
    got = b""
    for start in range(0, len(sent), size):
        inflater.feed(sent[start : start + size])
        got += inflate_all(inflater)
    assert got == b"".join(parts)


def test_each_answer_can_be_read_at_once() -> None:
    deflater, stream = Deflater(), zlib.decompressobj(-15)
    for text in (b"a OK Done\r\n", b"b OK Done\r\n"):
        assert stream.decompress(deflater.deflate(text)) == text
    assert stream.decompress(deflater.end()) == b""
    assert stream.eof


def test_little_inflates_to_much_only_a_piece_at_a_time() -> None:
    inflater = Inflater()
    inflater.feed(compressed(b"\0" * 50_000_000))
    total = 0
    while piece := inflater.piece():
        assert len(piece) <= PIECE
        total += len(piece)
    assert total == 50_000_000
    assert not len(inflater)


@pytest.mark.parametrize(
    "last",
    [
        compressed(b"a UNAUTHENTICATE\r\n"),
        compressed(b"a UNAUTHENTICATE\r\n", zlib.Z_FINISH),
        compressed(b"a UNAUTHENTICATE\r\n") + b"\x03\x00",
    ],
)
def test_what_follows_the_stream_stays_as_it_came(last: bytes) -> None:
    inflater = Inflater()
    inflater.feed(last + b"b NOOP\r\n")
    assert inflater.piece() == b"a UNAUTHENTICATE\r\n"
    assert inflater.rest() == b"b NOOP\r\n"


@given(st.binary(min_size=1, max_size=2000))
def test_noise_raises_nothing_else(noise: bytes) -> None:
    inflater = Inflater()
    inflater.feed(noise)
    with contextlib.suppress(BadDeflate):
        inflate_all(inflater)
