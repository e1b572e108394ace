"""What a client sends, as lines and as blocks, each with a bound and a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable

READ_OCTETS = 65_536


class ConnectionLost(Exception):
    """The client is gone, or was silent for too long (`is_timeout`)."""

    def __init__(self, *, is_timeout: bool = False) -> None:
        super().__init__("time-out" if is_timeout else "the client hung up")
        self.is_timeout = is_timeout


class LineTooLong(Exception):
    """The line was longer than allowed; it has been read and thrown away."""


class Incoming:
    """A buffer that the connection feeds: what follows a line or the end of a message stays for the next command.

    `before_wait` runs before each wait for the client: replies to a group of commands leave together (RFC 2920 §3.2).
    Octets that nobody has asked for are bounded: `transport` is told to read no more.
    """

    def __init__(self, before_wait: Callable[[], Awaitable[None]]) -> None:
        self.transport: asyncio.ReadTransport | None = None
        self._before_wait = before_wait
        self._buffer = b""
        self._start = 0  # what stands before it has been taken
        self._coming: list[bytes] = []  # read, and not yet in the buffer
        self._coming_octets = 0
        self._has_ended = False
        self._is_paused = False
        self._waiter: asyncio.Future[None] | None = None

    def feed(self, octets: bytes) -> None:
        """The client has sent these."""
        self._coming.append(octets)
        self._coming_octets += len(octets)
        if self._coming_octets > READ_OCTETS and not self._is_paused and self.transport:
            self._is_paused = True
            self.transport.pause_reading()
        self._wake()

    def end(self) -> None:
        """The client sends no more."""
        self._has_ended = True
        self._wake()

    @property
    def has_more(self) -> bool:
        """Whether the client has sent what nobody has asked for yet."""
        return self._start < len(self._buffer) or bool(self._coming)

    async def line(self, maximum: int, seconds: float) -> bytes:
        """The next line without its end (CR LF, or a bare LF), in so many seconds. Raises ConnectionLost, LineTooLong."""
        deadline = time.monotonic() + seconds
        searched = self._start
        while (end := self._buffer.find(b"\n", searched)) < 0:
            rest = self._take_rest()
            if len(rest) > maximum:
                await self._skip_line(deadline)
                raise LineTooLong
            searched = len(rest)
            self._buffer = rest + await self._read(deadline - time.monotonic())
        line = self._buffer[self._start : end]
        self._start = end + 1
        if len(line) > maximum:
            raise LineTooLong
        return line.removesuffix(b"\r")

    async def block(self, seconds: float) -> bytes:
        """Whatever comes next, at least one octet. Raises ConnectionLost."""
        return self._take_rest() or await self._read(seconds)

    async def exactly(self, size: int, seconds: float, *, keep: bool = True) -> bytes:
        """So many octets, `seconds` for each read; read and dropped unless `keep`. Raises ConnectionLost."""
        blocks = []
        while size:
            block = await self.block(seconds)
            if len(block) > size:
                self.put_back(block[size:])
                block = block[:size]
            size -= len(block)
            if keep:
                blocks.append(block)
        return b"".join(blocks)

    def put_back(self, octets: bytes) -> None:
        """Have these read next."""
        self._buffer = octets + self._take_rest()

    def discard(self) -> None:
        """Throw away what came before TLS (RFC 3207 §4.2): it may be an attacker's."""
        self._take_rest()
        self._take_coming()

    def _take_rest(self) -> bytes:
        rest = self._buffer[self._start :] if self._start else self._buffer
        self._buffer, self._start = b"", 0
        return rest

    def _take_coming(self) -> bytes:
        block = self._coming[0] if len(self._coming) == 1 else b"".join(self._coming)
        self._coming.clear()
        self._coming_octets = 0
        if self._is_paused:
            self._is_paused = False
            if self.transport is not None and not self.transport.is_closing():
                self.transport.resume_reading()
        return block

    async def _read(self, seconds: float) -> bytes:
        await self._before_wait()
        if not self._coming:
            await self._wait(seconds)
        return self._take_coming()

    async def _wait(self, seconds: float) -> None:
        """Until something came. Raises ConnectionLost."""
        if self._has_ended:
            raise ConnectionLost
        if seconds <= 0:
            raise ConnectionLost(is_timeout=True)
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        deadline = loop.call_later(seconds, self._wake)
        try:
            await self._waiter
        finally:
            self._waiter = None
            deadline.cancel()
        if not self._coming:
            raise ConnectionLost(is_timeout=not self._has_ended)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _skip_line(self, deadline: float) -> None:
        while (end := (block := await self._read(deadline - time.monotonic())).find(b"\n")) < 0:
            pass
        self._buffer = block[end + 1 :]
