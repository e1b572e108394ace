"""One connection's bytes: reading into the command reader, writing with back-pressure, deadlines.

Replies are gathered and leave before the session waits for input. Reading pauses while the client sends faster than the
session takes.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any, cast

from transport.imap.incoming_memory import Account
from transport.managesieve.wire.reader import CommandReader, Event

WRITE_SECONDS = 300.0
"""A client that reads nothing for so long is gone."""


class ConnectionEnded(Exception):
    """The client hung up, or does not read what it asked for."""


class Interrupted(Exception):
    """The server ends the session; the text goes into BYE."""


class Connection(asyncio.Protocol):
    """What a session speaks through, within TLS."""

    def __init__(self, serve: "Callable[[Connection], Coroutine[Any, Any, None]]") -> None:
        self.reader = CommandReader()
        self.peer = ""
        self.account: Account | None = None
        """What it holds of literals, since the login."""
        self.task: asyncio.Task[None] | None = None
        self.has_ended = False
        self._serve = serve
        self._transport: asyncio.Transport | None = None
        self._output: list[bytes] = []
        self._input_waiter: asyncio.Future[None] | None = None
        self._drain_waiter: asyncio.Future[None] | None = None
        self._is_reading_paused = False
        self._is_writing_paused = False
        self._interruption: str | None = None

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        raw = transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self.peer = str(transport.get_extra_info("peername")[0])
        self.task = asyncio.get_running_loop().create_task(self._serve(self))

    def data_received(self, data: bytes) -> None:
        self.reader.feed(data)
        if self.account is not None and self.account.hold(len(self.reader)) is not None:
            self.reader.give_up()
        if len(self.reader) > self.reader.wants and not self._is_reading_paused:
            self._is_reading_paused = True
            assert self._transport is not None
            self._transport.pause_reading()
        _resolve(self._input_waiter)

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

    async def next_event(self, seconds: float, seconds_inside: float) -> Event:
        """The next command, also of those that came before the client hung up.

        It has come whole within `seconds`, and `seconds_inside` after it began. Raises TimeoutError, ConnectionEnded,
        Interrupted.
        """
        if self.account is not None:  # the last command and its literals are done with
            self.account.hold(len(self.reader))
        loop = asyncio.get_running_loop()
        is_inside = False
        async with asyncio.timeout(seconds) as deadline:
            while True:
                if self._interruption is not None:
                    raise Interrupted(self._interruption)
                event = self.reader.next_event()
                if event is not None:
                    return event
                if self.reader.is_inside_command and not is_inside:
                    is_inside = True
                    until = loop.time() + seconds_inside
                    deadline.reschedule(min(until, deadline.when() or until))
                await self._wait_for_input()

    async def _wait_for_input(self) -> None:
        self.flush()
        if self.has_ended:
            raise ConnectionEnded
        if self._is_reading_paused and self._transport is not None:
            self._is_reading_paused = False
            self._transport.resume_reading()
        self._input_waiter = asyncio.get_running_loop().create_future()
        try:
            await self._input_waiter
        finally:
            self._input_waiter = None

    @property
    def is_deaf(self) -> bool:
        """Whether the client has not read what was sent."""
        return self._is_writing_paused

    def write(self, data: bytes) -> None:
        self._output.append(data)

    def flush(self) -> None:
        if self._output and self._transport is not None and not self.has_ended:
            self._transport.write(b"".join(self._output))
        self._output.clear()

    async def drain(self) -> None:
        """Send what is gathered; wait until the client has taken most of it. Raises ConnectionEnded."""
        self.flush()
        if not self._is_writing_paused or self.has_ended:
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

    def interrupt(self, reason: str) -> None:
        """End the session between two commands: the next wait for one raises Interrupted."""
        self._interruption = reason
        _resolve(self._input_waiter)

    def close(self) -> None:
        """Send what is gathered and TLS's close_notify, then close."""
        self.flush()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._end()

    def _end(self) -> None:
        self.has_ended = True
        _resolve(self._input_waiter)
        _resolve(self._drain_waiter)


def _resolve(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
