"""Lines and blocks out of a stream, however it is cut."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.smtp.incoming import ConnectionLost, Incoming, LineTooLong


async def nothing() -> None:
    """There are no replies to send."""


def reading(*chunks: bytes) -> Incoming:
    reader = asyncio.StreamReader()
    for chunk in chunks:
        reader.feed_data(chunk)
    reader.feed_eof()
    return Incoming(reader, nothing)


def fed(reader: asyncio.StreamReader, chunks: list[bytes]) -> Incoming:
    """One chunk a wait, as a network would."""
    left = list(chunks)

    async def feed() -> None:
        if left:
            reader.feed_data(left.pop(0))
        else:
            reader.feed_eof()

    return Incoming(reader, feed)


@given(st.lists(st.binary(max_size=12), max_size=8))
def test_any_chunking_gives_the_same_lines(chunks: list[bytes]) -> None:
    async def read() -> list[bytes]:
        incoming = fed(asyncio.StreamReader(), [chunk for chunk in chunks if chunk])
        lines = []
        for _ in range(b"".join(chunks).count(b"\n")):
            lines.append(await incoming.line(1000, 10))
        with pytest.raises(ConnectionLost):
            await incoming.line(1000, 10)
        return lines

    *lines, _ = b"".join(chunks).split(b"\n")
    assert asyncio.run(read()) == [line.removesuffix(b"\r") for line in lines]


def test_a_line_that_is_too_long_is_skipped_whole() -> None:
    async def read() -> bytes:
        incoming = fed(
            asyncio.StreamReader(), [b"x" * 30, b"x" * 30, b"\nNOOP\r\nz" + b"y" * 40 + b"\nQUIT\n"]
        )
        with pytest.raises(LineTooLong):
            await incoming.line(20, 10)
        assert await incoming.line(20, 10) == b"NOOP"
        with pytest.raises(LineTooLong):
            await incoming.line(20, 10)
        return await incoming.line(20, 10)

    assert asyncio.run(read()) == b"QUIT"


def test_blocks_exact_counts_and_what_is_put_back() -> None:
    async def read() -> None:
        incoming = reading(b"one\r\ntwothree")
        assert not incoming.has_more
        assert await incoming.line(10, 10) == b"one"
        assert incoming.has_more
        assert await incoming.exactly(3, 10) == b"two"
        incoming.put_back(b"x")
        assert await incoming.block(10) == b"xthree"
        with pytest.raises(ConnectionLost) as caught:
            await incoming.block(10)
        assert not caught.value.is_timeout

    asyncio.run(read())


def test_silence_is_a_time_out_for_the_line_as_a_whole() -> None:
    async def read() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(b"half a li")
        with pytest.raises(ConnectionLost) as caught:
            await Incoming(reader, nothing).line(100, 0.05)
        assert caught.value.is_timeout

    asyncio.run(read())


def test_what_came_before_tls_is_thrown_away() -> None:
    async def read() -> bytes:
        incoming = fed(asyncio.StreamReader(), [b"STARTTLS\r\nNOOP\r\n", b"EHLO x\r\n"])
        await incoming.line(100, 10)
        incoming.discard()
        return await incoming.line(100, 10)

    assert asyncio.run(read()) == b"EHLO x"
