"""The connection beneath the commands: greeting, command loop, replies, TLS, deadlines, and the end.

A subclass of aiosmtpd's SMTP, which brings the protocol on the transport. Replaced are its constructor (it inspects
every method, 0.2 ms a connection), its reading (one buffer with pipelining, bounds and deadlines a read instead of
StreamReader and a timer that DATA never resets), its error limits, and its STARTTLS (uvloop's own takes a tenth of
the memory of asyncio.sslproto).

RFC 5321 §3.1, §4.1.4, §4.5.3.2; RFC 2920 (PIPELINING) needs nothing but the buffer; RFC 3207 (STARTTLS).
"""

import asyncio
import logging
import ssl
from asyncio.streams import FlowControlMixin
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

from aiosmtpd.smtp import SMTP

from transport.smtp.incoming import ConnectionLost, Incoming, LineTooLong

if TYPE_CHECKING:
    from transport.smtp.service import Port, SmtpService

COMMAND_SECONDS = 300.0  # RFC 5321 §4.5.3.2.7
TLS_SECONDS = 30.0
LINGER_SECONDS = 10.0  # for a client to read our last words
LINE_MAXIMUM = 12_400  # octets: AUTH with an initial response, RFC 4954 §4
ERRORS_MAXIMUM = 10  # replies 5yz to what was no known or no well-formed command
COMMANDS_IN_A_ROW = 20  # so many that needed no wait; then other sessions have their turn
HTTP_VERBS = frozenset({b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"CONNECT"})

log = logging.getLogger(__name__)

Command = Callable[[bytes], Awaitable[str]]


class SmtpSession(SMTP):  # type: ignore[misc]
    """One connection. `commands` maps a verb to what answers it: the reply, or "" when it has replied itself."""

    commands: dict[bytes, Command]

    def __init__(self, service: "SmtpService", port: "Port") -> None:
        loop = asyncio.get_running_loop()
        FlowControlMixin.__init__(self, loop)
        self.loop = loop
        self.incoming = Incoming(self._flush)
        self.service = service
        self.port = port
        self.transport: asyncio.Transport | None = None
        self.client_address = ""
        self.has_tls = port.is_tls
        self._task: asyncio.Task[None] | None = None
        self._errors = 0
        self._in_a_row = 0
        self._is_idle = False
        self._is_admitted = False
        self._last_words = ""
        self._ending = False
        self._replies: list[bytes] = []

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's inherits from nothing
        self.transport = self.incoming.transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername") or ("",)
        self.client_address = str(peer[0]).partition("%")[0].removeprefix("::ffff:")
        self._is_admitted = self._enter()
        self._task = self.loop.create_task(self._run())

    def data_received(self, data: bytes) -> None:
        self.incoming.feed(data)

    def connection_lost(self, error: Exception | None) -> None:
        FlowControlMixin.connection_lost(self, error)
        self.incoming.end()
        self.transport = self.incoming.transport = None

    def eof_received(self) -> bool:
        """A client that has sent all it wants still gets its replies; not over TLS, which is closed both ways."""
        self.incoming.end()
        return not self.has_tls

    # What the commands use

    def say(self, reply: str) -> None:
        """Reply: `code text`, lines joined by CR LF where it has several. It leaves before the next wait for the client."""
        self._replies.append(reply.encode() + b"\r\n")

    # What the service uses

    def stop(self, last_words: str = "421 4.3.2 the service is shutting down") -> None:
        """End: now where the client is silent, else after the reply to what it has asked."""
        self._last_words = last_words
        if self._is_idle and self._task is not None:
            self._task.cancel()

    def abort(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self.transport is not None:
            self.transport.abort()

    # The loop

    async def _run(self) -> None:
        try:
            if not self._is_admitted:
                self.say("421 4.7.0 too many connections")
                return
            self.say(f"220 {self.service.hostname} ESMTP")
            while not self._ending:
                await self._one_command()
                await self._take_turns()
                if self._last_words:
                    self.say(self._last_words)
                    return
        except ConnectionLost as error:
            if error.is_timeout:
                self.say("421 4.4.2 you were silent for too long")
        except asyncio.CancelledError:
            if self._last_words:
                self.say(self._last_words)
        except (ssl.SSLError, OSError, TimeoutError) as error:
            log.info("%s: %s", self.client_address, error)
        except Exception:
            log.exception("%s: the session failed", self.client_address)
            self.say("421 4.3.0 an error of ours")
        finally:
            self._close()

    async def _one_command(self) -> None:
        try:
            line = await self._command_line()
        except LineTooLong:
            self._count_error("500 5.5.6 the line is too long")
            return
        verb, _, argument = line.partition(b" ")
        verb = verb.upper()
        if verb in HTTP_VERBS:  # a browser, or a page that makes one speak SMTP
            self._ending = True
            return
        command = self.commands.get(verb)
        if command is None or b"\r" in line or b"\0" in line:
            self._count_error("500 5.5.2 this is no command here")
            return
        reply = await command(argument.strip(b" \t"))
        if reply[:3] in ("500", "501", "502", "503", "504", "555"):
            self._count_error(reply)
        elif reply:
            self.say(reply)

    async def _take_turns(self) -> None:
        """Other sessions go on while one pipelines without end."""
        self._in_a_row += 1
        if self._in_a_row >= COMMANDS_IN_A_ROW:
            self._in_a_row = 0
            await asyncio.sleep(0)

    async def _command_line(self) -> bytes:
        self._is_idle = not self.incoming.has_more
        try:
            return await self.incoming.line(LINE_MAXIMUM, COMMAND_SECONDS)
        finally:
            self._is_idle = False

    def _count_error(self, reply: str) -> None:
        self._errors += 1
        if self._errors >= ERRORS_MAXIMUM:
            reply = "421 4.7.0 too many errors"
            self._ending = True
        self.say(reply)

    async def begin_tls(self) -> None:
        """STARTTLS was accepted: answer, shake hands, and go on encrypted. Raises what the handshake raises."""
        assert self.transport is not None
        self.say("220 2.0.0 go ahead")
        await self._flush()
        self.incoming.discard()
        self.incoming.transport = None  # what reads during the handshake is not ours to pause
        plain = self.transport
        encrypted = await self.loop.start_tls(
            plain,
            self,
            self.service.tls_context,
            server_side=True,
            ssl_handshake_timeout=TLS_SECONDS,
        )
        if encrypted is None:
            raise ConnectionLost
        self.transport = self.incoming.transport = encrypted
        self.has_tls = True

    async def _flush(self) -> None:
        """Send what has been said. A client that does not read gets no further, and is given up in the end."""
        self._write()
        if not self._paused:
            return
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                await self._drain_helper()
        except (TimeoutError, ConnectionError):
            raise ConnectionLost from None

    def _write(self) -> None:
        if self._replies and self.transport is not None and not self.transport.is_closing():
            self.transport.write(b"".join(self._replies))
        self._replies.clear()

    def _close(self) -> None:
        self._write()
        if self._is_admitted:
            self._is_admitted = False
            self._leave()
        if self.transport is not None:
            self.transport.close()
            if self.transport is not None and self.transport.get_write_buffer_size():
                # a client that never reads would keep the socket for ever
                self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    # What the subclass knows how to do

    def _enter(self) -> bool:
        raise NotImplementedError  # SmtpConnection has it

    def _leave(self) -> None:
        raise NotImplementedError  # SmtpConnection has it
