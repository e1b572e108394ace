"""Lines and blocks out of a stream, however it is cut."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.smtp.incoming import READ_OCTETS, ConnectionLost, Incoming, LineTooLong


async def nothing() -> None:
    """There are no replies to send."""


def reading(*chunks: bytes) -> Incoming:
    incoming = Incoming(nothing)
    for chunk in chunks:
        incoming.feed(chunk)
    incoming.end()
    return incoming


def fed(*chunks: bytes) -> Incoming:
    """One chunk a wait, as a network would."""
    left = list(chunks)

    async def feed() -> None:
        if left:
            incoming.feed(left.pop(0))
        else:
            incoming.end()

    incoming = Incoming(feed)
    return incoming


@given(st.lists(st.binary(max_size=12), max_size=8))
def test_any_chunking_gives_the_same_lines(chunks: list[bytes]) -> None:
    async def read() -> list[bytes]:
        incoming = fed(*[chunk for chunk in chunks if chunk])
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
        incoming = fed(b"x" * 30, b"x" * 30, b"\nNOOP\r\nz" + b"y" * 40 + b"\nQUIT\n")
        with pytest.raises(LineTooLong):
            await incoming.line(20, 10)
        assert await incoming.line(20, 10) == b"NOOP"
        with pytest.raises(LineTooLong):
            await incoming.line(20, 10)
        return await incoming.line(20, 10)

    assert asyncio.run(read()) == b"QUIT"


def test_blocks_exact_counts_and_what_is_put_back() -> None:
    async def read() -> None:
        incoming = reading(b"one\r\n", b"twothree")
        assert incoming.has_more
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
        incoming = Incoming(nothing)
        incoming.feed(b"half a li")
        with pytest.raises(ConnectionLost) as caught:
            await incoming.line(100, 0.05)
        assert caught.value.is_timeout

    asyncio.run(read())


class Transport(asyncio.ReadTransport):
    """Remembers whether it reads."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = True

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True

    def is_closing(self) -> bool:
        return False


def test_a_client_that_sends_faster_than_we_take_waits() -> None:
    async def read() -> None:
        incoming = Incoming(nothing)
        incoming.transport = transport = Transport()
        incoming.feed(b"x" * READ_OCTETS)
        assert transport.reads
        incoming.feed(b"y")
        assert not transport.reads
        assert len(await incoming.block(10)) == READ_OCTETS + 1
        assert transport.reads

    asyncio.run(read())


def test_what_came_before_tls_is_thrown_away() -> None:
    async def read() -> bytes:
        incoming = fed(b"STARTTLS\r\nNOOP\r\n", b"EHLO x\r\n")
        await incoming.line(100, 10)
        incoming.discard()
        return await incoming.line(100, 10)

    assert asyncio.run(read()) == b"EHLO x"
