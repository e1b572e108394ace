"""One connection's bytes: reading into the command reader, writing with back-pressure, deadlines.

Output is gathered and leaves in few large writes: before the session waits for input, and whenever `OUTPUT_CHUNK` is
full. Reading pauses while the client sends faster than the session takes.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any, cast

from transport.imap.incoming_memory import Account
from transport.imap.wire.compression import BadDeflate, Deflater, Inflater
from transport.imap.wire.reader import CommandReader, Event, Hopeless

OUTPUT_CHUNK = 65_536
REST_SECONDS = 5.0
"""A silent client's compressor, 256 KiB, is freed: a new one goes on where it was."""
COMPRESSED_LIMIT = 65_536
"""Compressed input that waits; reading pauses at it."""
WRITE_SECONDS = 300.0
"""A client that reads nothing for so long is gone."""


class ConnectionEnded(Exception):
    """The client hung up, or does not read what it asked for."""


class Interrupted(Exception):
    """The server ends the session; the text goes into BYE."""


class Connection(asyncio.Protocol):
    """What a session speaks through."""

    def __init__(self, serve: "Callable[[Connection], Coroutine[Any, Any, None]]") -> None:
        self.reader = CommandReader()
        self.peer = ""
        self.account: Account | None = None
        """What it holds of literals, since the login."""
        self.task: asyncio.Task[None] | None = None
        self._serve = serve
        self._transport: asyncio.Transport | None = None
        self._output: list[bytes] = []
        self._output_size = 0
        self._last = b"\r\n"
        self._input_waiter: asyncio.Future[None] | None = None
        self._drain_waiter: asyncio.Future[None] | None = None
        self._is_reading_paused = False
        self._is_writing_paused = False
        self._has_ended = False
        self._interruption: str | None = None
        self._inflater: Inflater | None = None
        self._deflater: Deflater | None = None

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        raw = transport.get_extra_info("socket")
        if raw is not None:  # who idles for hours may be gone without a word
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if peer else ""
        self.task = asyncio.get_running_loop().create_task(self._serve(self))

    def data_received(self, data: bytes) -> None:
        if self._inflater is not None:
            self._inflater.feed(data)
            is_full = len(self._inflater) > COMPRESSED_LIMIT
        else:
            self._feed(data)
            is_full = len(self.reader) > self.reader.wants
        if is_full and not self._is_reading_paused:
            self._is_reading_paused = True
            assert self._transport is not None
            self._transport.pause_reading()
        self.wake()

    def eof_received(self) -> None:
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def pause_writing(self) -> None:
        self._is_writing_paused = True

    def resume_writing(self) -> None:
        self._is_writing_paused = False
        _resolve(self._drain_waiter)

    # What the session calls

    def next_event(self) -> Event | None:
        """The next command, also of those that came before the client hung up; None: there is none yet.
        Raises Interrupted."""
        if self._interruption is not None:
            raise Interrupted(self._interruption)
        if self.account is not None:  # the last command and its literals are done with
            self.account.hold(len(self.reader))
        return self.reader.next_event()

    async def next_line(self) -> bytes | Hopeless:
        """The next bare line (a SASL response, DONE)."""
        while (line := self.reader.next_line()) is None:
            await self.wait_for_input()
        return line

    async def wait_for_input(self, deadline: float | None = None) -> None:
        """Send what is gathered, and wait until bytes came or `wake` was called.

        `deadline` is of the loop's time: TimeoutError. (asyncio.timeout costs 20 µs, more than to read a command.)
        """
        self.flush()
        if self._inflater is not None and self._inflate(self._inflater):
            return await asyncio.sleep(0)  # others have their turn: little may inflate to much
        self._check()
        if self._is_reading_paused and self._transport is not None:
            self._is_reading_paused = False
            self._transport.resume_reading()
        if self.reader.is_inside_command:
            self._acknowledge()
        loop = asyncio.get_running_loop()
        self._input_waiter = loop.create_future()
        end = loop.call_at(deadline, _give_up, self._input_waiter) if deadline is not None else None
        rest = loop.call_later(REST_SECONDS, self._deflater.forget) if self._deflater else None
        try:
            await self._input_waiter
        finally:
            self._input_waiter = None
            if end is not None:
                end.cancel()
            if rest is not None:
                rest.cancel()
        self._check()

    def _acknowledge(self) -> None:
        """Tell the client's kernel at once what has come: a client that writes a literal and the line's end apart sends
        the end only then (Nagle's algorithm), and would lose 40 ms an APPEND."""
        if self._transport is not None and hasattr(socket, "TCP_QUICKACK"):
            raw = self._transport.get_extra_info("socket")
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def wake(self) -> None:
        """Let `wait_for_input` return."""
        _resolve(self._input_waiter)

    @property
    def has_ended(self) -> bool:
        """Whether nobody listens any more."""
        return self._has_ended

    @property
    def is_deaf(self) -> bool:
        """Whether the client has not read what was sent."""
        return self._is_writing_paused

    @property
    def is_between_lines(self) -> bool:
        """Whether what was written last ended a response."""
        return self._last.endswith(b"\r\n")

    def write(self, data: bytes) -> None:
        if not data:
            return
        self._last = data
        self._output.append(data)
        self._output_size += len(data)
        if self._output_size >= OUTPUT_CHUNK:
            self.flush()

    def flush(self) -> None:
        if self._output and self._transport is not None and not self._has_ended:
            data = b"".join(self._output)
            self._transport.write(self._deflater.deflate(data) if self._deflater else data)
        self._output.clear()
        self._output_size = 0

    async def drain(self) -> None:
        """Wait until the client has taken most of what was written. Raises ConnectionEnded."""
        if self._has_ended:
            raise ConnectionEnded
        if not self._is_writing_paused:
            return
        self._drain_waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await self._drain_waiter
        except TimeoutError:
            self.abort()
            raise ConnectionEnded from None
        finally:
            self._drain_waiter = None
        if self._has_ended:
            raise ConnectionEnded

    @property
    def is_compressed(self) -> bool:
        return self._deflater is not None

    def begin_compression(self) -> None:
        """From the next octet on, both ways (RFC 4978 §3)."""
        self.flush()
        self._inflater, self._deflater = Inflater(), Deflater()

    def end_compression(self) -> None:
        """Both ways; what the client sent after its last command is plain (RFC 8437 §4.1)."""
        if self._inflater is None or self._deflater is None:
            return
        self.flush()
        if self._transport is not None and not self._has_ended:
            self._transport.write(self._deflater.end())
        self._feed(self._inflater.rest())
        self._inflater = self._deflater = None

    def interrupt(self, reason: str) -> None:
        """End the session between two commands: the next wait for input raises Interrupted."""
        self._interruption = reason
        self.wake()

    def close(self) -> None:
        """Send what is gathered and TLS's close_notify, then close."""
        self.flush()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._end()

    def _feed(self, data: bytes) -> None:
        self.reader.feed(data)
        if self.account is not None and self.account.hold(len(self.reader)) is not None:
            self.reader.give_up()

    def _inflate(self, inflater: Inflater) -> bool:
        """Whether there was something to inflate for the reader."""
        try:
            inflated = inflater.piece()
        except BadDeflate:
            raise Interrupted("What came is not compressed as agreed") from None
        self._feed(inflated)
        return bool(inflated)

    def _check(self) -> None:
        if self._has_ended:
            raise ConnectionEnded
        if self._interruption is not None:
            raise Interrupted(self._interruption)

    def _end(self) -> None:
        self._has_ended = True
        self.wake()
        _resolve(self._drain_waiter)


def _resolve(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


def _give_up(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())
