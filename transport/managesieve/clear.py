"""A connection before TLS: which of the two ways it begins, and what may be said in the clear (RFC 5804 §2.2).

The server speaks first, but some clients begin with a TLS ClientHello instead: it waits a moment for one. In the clear
nobody logs in and nothing is told but the capabilities, and what was said is forgotten: a client's session begins when
TLS is up, whichever way it came. What stands behind STARTTLS in the same packet may be an attacker's: the
connection ends.

All is done in callbacks on the accepted socket, whose input is left to OpenSSL from the handshake on.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from transport.managesieve.capabilities import capabilities
from transport.managesieve.handlers.about import noop_reply
from transport.managesieve.replies import Reply, no, ok
from transport.managesieve.wire.commands import Command, SyntaxBroken, is_http, parse_command
from transport.managesieve.wire.reader import CommandReader, Hopeless, Line
from transport.tls_transport import Accepting, TlsTransport

CLIENT_HELLO_SECONDS = 0.2
CLEAR_SECONDS = 60.0
"""How long a client may stay in the clear."""
BAD_MAXIMUM = 10
"""Commands that could not be carried out before the connection ends."""
READ_OCTETS = 16_384

_HANDSHAKE = 0x16  # the first octet of a TLS record that holds a ClientHello (RFC 8446 §5.1)


class ClearPhase:
    """One accepted connection until it is TLS's, or ends."""

    def __init__(
        self,
        shared: Accepting,
        connection: socket.socket,
        peer: Any,
        make_protocol: Callable[[], asyncio.Protocol],
    ) -> None:
        """`make_protocol` makes what speaks within TLS."""
        connection.setblocking(False)
        self._shared = shared
        self._socket = connection
        self._peer = peer
        self._make_protocol = make_protocol
        self._reader = CommandReader()
        self._bad = 0
        self._has_ended = False
        """Nothing that comes is looked at any more."""
        self._loop = asyncio.get_running_loop()
        self._greet_at: asyncio.TimerHandle | None = self._loop.call_later(
            CLIENT_HELLO_SECONDS, self._look, True
        )
        self._deadline = self._loop.call_later(CLEAR_SECONDS, self._bye, "Too late")
        shared.loads.add(1)
        shared.in_handshake.add(self)
        self._loop.add_reader(connection.fileno(), self._look)

    def _look(self, is_late: bool = False) -> None:
        """Whether what comes first is a ClientHello. `is_late`: it is greeted if nothing has come, which a process that is
        busy may not have seen."""
        try:
            first = self._socket.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return self._greet() if is_late else None
        except OSError:
            return self._drop()
        if first and first[0] == _HANDSHAKE:
            return self._begin_tls()
        self._greet()

    def _greet(self) -> None:
        if self._greet_at is not None:
            self._greet_at.cancel()
            self._greet_at = None
        self._loop.remove_reader(self._socket.fileno())
        self._loop.add_reader(self._socket.fileno(), self._read)
        self._answer(ok("STARTTLS comes first"), capabilities(is_clear=True))

    def _read(self) -> None:
        try:
            octets = self._socket.recv(READ_OCTETS)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            octets = b""
        if not octets:
            return self._drop()
        self._reader.feed(octets)
        while not self._has_ended and (event := self._reader.next_event()) is not None:
            match event:
                case Line(buffer):
                    self._take(buffer)
                case Hopeless(reason):
                    self._bye(reason)
                case _:
                    self._bye("The literal is too big")

    def _take(self, buffer: bytes) -> None:
        try:
            command = parse_command(buffer)
        except SyntaxBroken as error:
            if is_http(buffer):
                return self._drop()
            return self._refuse(no(str(error)))
        match command:
            case Command("CAPABILITY"):
                self._answer(ok(), capabilities(is_clear=True))
            case Command("NOOP"):
                self._answer(noop_reply(command))
            case Command("LOGOUT"):
                self._answer(ok("Good bye"))
                self._close()
            case Command("STARTTLS"):
                self._start_tls()
            case Command("AUTHENTICATE"):
                self._refuse(no("Nobody logs in before TLS", b"ENCRYPT-NEEDED"))
            case _:
                self._refuse(no("Log in first"))

    def _start_tls(self) -> None:
        if len(self._reader):
            return self._bye("Nothing may follow STARTTLS before TLS")
        self._answer(ok("Begin TLS"))
        if not self._has_ended:
            self._begin_tls()

    def _begin_tls(self) -> None:
        self._leave()
        try:
            TlsTransport(self._shared, self._socket, self._peer, self._make_protocol())
        except OSError:  # it has hung up already
            self._shared.limits.release(str(self._peer[0]))
            self._socket.close()

    def _refuse(self, reply: Reply) -> None:
        self._bad += 1
        if self._bad >= BAD_MAXIMUM:
            return self._bye("Too many bad commands")
        self._answer(reply)

    def _answer(self, reply: Reply, before: bytes = b"") -> None:
        """A client that does not read the little that is said here is none."""
        data = before + reply.line()
        try:
            sent = self._socket.send(data)
        except OSError:
            sent = 0
        if sent != len(data):
            self._drop()

    # The end

    def abort(self) -> None:
        """The server stops."""
        if not self._has_ended:
            self._answer(Reply("BYE", "The server is shutting down"))
        self._drop()

    def _bye(self, reason: str) -> None:
        self._answer(Reply("BYE", reason))
        self._close()

    def _close(self) -> None:
        """Wait a little for the client's own end: closing at once would reset the connection, and might take away what
        it has not read yet."""
        if self._has_ended:
            return
        self._has_ended = True
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            return self._drop()
        self._deadline.cancel()
        self._deadline = self._loop.call_later(self._shared.shutdown_seconds, self._drop)
        self._loop.remove_reader(self._socket.fileno())
        self._loop.add_reader(self._socket.fileno(), self._read_rest)

    def _read_rest(self) -> None:
        try:
            is_end = not self._socket.recv(READ_OCTETS)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            is_end = True
        if is_end:
            self._drop()

    def _drop(self) -> None:
        if self in self._shared.in_handshake:
            self._leave()
            self._shared.limits.release(str(self._peer[0]))
            self._socket.close()

    def _leave(self) -> None:
        """The socket is not ours any more; its place among those without TLS stays."""
        self._has_ended = True
        self._deadline.cancel()
        if self._greet_at is not None:
            self._greet_at.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._shared.in_handshake.discard(self)
        self._shared.loads.add(-1)
