"""The socket of an SMTP client: lines out, replies in, a deadline on each (RFC 5321 §4.5.3.2)."""

import contextlib
import socket
import ssl
import time
from collections.abc import Iterable
from dataclasses import dataclass

from transport.outbound.replies import (
    LINE_MAXIMUM,
    LINES_MAXIMUM,
    Reply,
    ReplySyntaxError,
    join_lines,
    parse_line,
)


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Seconds; the minima of RFC 5321 §4.5.3.2, but for connecting and for the server's greeting."""

    connect: float = 30
    greeting: float = 120
    tls: float = 60
    command: float = 300
    data: float = 120
    block: float = 180
    content: float = 600
    quit: float = 5


DEFAULT_LIMITS = TimeLimits()


class ConnectionFailed(Exception):
    """The connection cannot go on: refused, lost, timed out, or not SMTP. The message says which."""


class Wire:
    """One connection, in the clear until `start_tls`."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = bytearray()

    @classmethod
    def connect(cls, address: str, port: int, seconds: float) -> "Wire":
        """Raises ConnectionFailed."""
        try:
            connection = socket.create_connection((address, port), timeout=seconds)
        except OSError as error:
            raise ConnectionFailed(f"cannot connect: {_reason(error)}") from None
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return cls(connection)

    @property
    def tls(self) -> ssl.SSLSocket | None:
        return self._socket if isinstance(self._socket, ssl.SSLSocket) else None

    def start_tls(self, context: ssl.SSLContext, host: str, seconds: float) -> None:
        """Shake hands; what the server sent before it is thrown away (RFC 3207 §6). Raises ConnectionFailed."""
        self._buffer.clear()
        self._socket.settimeout(seconds)
        try:
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
        except (OSError, ValueError) as error:
            self.close()
            raise ConnectionFailed(f"TLS failed: {_reason(error)}") from None

    def send(self, pieces: Iterable[bytes], seconds: float) -> None:
        """Send each piece within `seconds`. Raises ConnectionFailed."""
        try:
            for piece in pieces:
                self._socket.settimeout(seconds)
                self._socket.sendall(piece)
        except OSError as error:
            raise ConnectionFailed(f"connection lost while sending: {_reason(error)}") from None

    def read_reply(self, seconds: float) -> Reply:
        """The next whole reply, within `seconds`. Raises ConnectionFailed."""
        deadline = time.monotonic() + seconds
        lines: list[tuple[int, bool, str]] = []
        while len(lines) < LINES_MAXIMUM:
            try:
                line = parse_line(self._read_line(deadline))
            except ReplySyntaxError as error:
                raise ConnectionFailed(str(error)) from None
            lines.append(line)
            if line[1]:
                return join_lines(lines)
        raise ConnectionFailed("a reply without end")

    def _read_line(self, deadline: float) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LINE_MAXIMUM:
                raise ConnectionFailed("a reply line without end")
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise ConnectionFailed("no reply in time")
            self._socket.settimeout(remaining)
            try:
                received = self._socket.recv(8192)
            except TimeoutError:
                raise ConnectionFailed("no reply in time") from None
            except OSError as error:
                raise ConnectionFailed(f"connection lost: {_reason(error)}") from None
            if not received:
                raise ConnectionFailed("the server closed the connection")
            self._buffer += received
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line.removesuffix(b"\r")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.close()


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    if isinstance(error, TimeoutError):
        return "timed out"
    return getattr(error, "strerror", None) or str(error)
