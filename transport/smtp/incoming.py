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
    """A buffer in front of a StreamReader: what follows a line or the end of a message stays for the next command.

    `before_wait` runs before each wait for the client: replies to a group of commands leave together (RFC 2920 §3.2).
    """

    def __init__(
        self, reader: asyncio.StreamReader, before_wait: Callable[[], Awaitable[None]]
    ) -> None:
        self._reader = reader
        self._before_wait = before_wait
        self._buffer = b""
        self._start = 0  # what stands before it has been taken

    @property
    def has_more(self) -> bool:
        """Whether the client has sent what nobody has asked for yet."""
        return self._start < len(self._buffer)

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

    def _take_rest(self) -> bytes:
        rest = self._buffer[self._start :] if self._start else self._buffer
        self._buffer, self._start = b"", 0
        return rest

    async def _read(self, seconds: float) -> bytes:
        await self._before_wait()
        if seconds <= 0:
            raise ConnectionLost(is_timeout=True)
        try:
            async with asyncio.timeout(seconds):
                block = await self._reader.read(READ_OCTETS)
        except TimeoutError:
            raise ConnectionLost(is_timeout=True) from None
        except OSError:
            raise ConnectionLost from None
        if not block:
            raise ConnectionLost
        return block

    async def _skip_line(self, deadline: float) -> None:
        while (end := (block := await self._read(deadline - time.monotonic())).find(b"\n")) < 0:
            pass
        self._buffer = block[end + 1 :]
