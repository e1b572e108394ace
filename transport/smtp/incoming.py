"""What a client sends, as lines and as blocks, each with a bound and a deadline."""

import asyncio
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
        self.octets_read = 0

    @property
    def has_more(self) -> bool:
        """Whether the client has sent what nobody has asked for yet."""
        return bool(self._buffer)

    async def line(self, maximum: int, seconds: float) -> bytes:
        """The next line without its end (CR LF, or a bare LF). Raises ConnectionLost, LineTooLong."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > maximum:
                await self._skip_line(seconds)
                raise LineTooLong
            self._buffer += await self._read(seconds)
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        if end > maximum:
            raise LineTooLong
        return line.removesuffix(b"\r")

    async def block(self, seconds: float) -> bytes:
        """Whatever comes next, at least one octet. Raises ConnectionLost."""
        if self._buffer:
            block, self._buffer = self._buffer, b""
            return block
        return await self._read(seconds)

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
        self._buffer = octets + self._buffer

    def discard(self) -> None:
        """Throw away what came before TLS (RFC 3207 §4.2): it may be an attacker's."""
        self._buffer = b""

    async def _read(self, seconds: float) -> bytes:
        await self._before_wait()
        try:
            async with asyncio.timeout(seconds):
                block = await self._reader.read(READ_OCTETS)
        except TimeoutError:
            raise ConnectionLost(is_timeout=True) from None
        except OSError:
            raise ConnectionLost from None
        if not block:
            raise ConnectionLost
        self.octets_read += len(block)
        return block

    async def _skip_line(self, seconds: float) -> None:
        while (end := self._buffer.find(b"\n")) < 0:
            self._buffer = await self._read(seconds)
        self._buffer = self._buffer[end + 1 :]
