"""TLS for listeners: an asyncio transport over a non-blocking SSL socket (`transport.tls_server` accepts for it).

uvloop's own TLS keeps its buffers as long as the connection lives: 558 KB after one upload of 600 KB. Here OpenSSL keeps
15 KB, and what is read goes through one buffer that all connections of a server share. A protocol sees what asyncio's transports
promise: `connection_made` after the handshake, back-pressure both ways, `connection_lost` last.

RFC 8446 §6.1: close_notify ends what we send; a client's ends what it sends, and we may still answer when `eof_received`
says so. After an end without it OpenSSL sends nothing any more. Renegotiation is off in the context (`transport.tls`).
"""

import asyncio
import logging
import socket
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from transport.connection_limits import ConnectionLimits
from transport.worker_loads import WorkerLoads

HIGH_WATER = 65_536
"""Bytes that may wait for the client before the protocol is asked to pause."""
RECORD = 16_384  # the most that one call of OpenSSL reads or writes
READS_A_TURN = 16  # records, before other connections have their turn
FLUSH_SECONDS = 60.0  # for what waits when the connection is closed
DROPPED_MAXIMUM = 1 << 20  # what a client may still send after our close_notify

logger = logging.getLogger(__name__)


class Abortable(Protocol):
    def abort(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Accepting:
    """What the connections of one server share."""

    context: ssl.SSLContext
    handshake_seconds: float
    shutdown_seconds: float
    """How long a closed connection waits for the client's own end."""
    loads: WorkerLoads
    limits: ConnectionLimits = field(default_factory=ConnectionLimits)
    """Of connections in the handshake."""
    in_handshake: set[Abortable] = field(default_factory=set)
    """Those that are not up yet, in the handshake or before it."""
    scratch: memoryview = field(default_factory=lambda: memoryview(bytearray(RECORD)))


class TlsTransport(asyncio.Transport):
    """One accepted connection."""

    __slots__ = (
        "_backlog",
        "_backlog_size",
        "_deadline",
        "_file",
        "_high",
        "_is_closing",
        "_is_eof",
        "_is_lost",
        "_is_paused",
        "_is_protocol_paused",
        "_is_writer_added",
        "_loop",
        "_low",
        "_may_drop",
        "_peer",
        "_protocol",
        "_shared",
        "_socket",
    )

    def __init__(
        self,
        shared: Accepting,
        connection: socket.socket,
        peer: Any,
        protocol: asyncio.BaseProtocol,
    ) -> None:
        """Begin the handshake. Raises OSError when the client has hung up."""
        super().__init__()
        connection.setblocking(False)
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = shared.context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        self._file = self._socket.fileno()
        self._shared = shared
        self._loop = asyncio.get_running_loop()
        self._peer = peer
        self._protocol: asyncio.Protocol = protocol  # type: ignore[assignment]
        self._backlog: deque[memoryview] = deque()
        self._backlog_size = 0
        self._high, self._low = HIGH_WATER, HIGH_WATER // 4
        self._may_drop = 0
        self._is_protocol_paused = False
        self._is_writer_added = False
        self._is_paused = False
        self._is_eof = False  # the client sends no more
        self._is_closing = False
        self._is_lost = False
        self._deadline: asyncio.TimerHandle | None = self._loop.call_later(
            shared.handshake_seconds, self._give_up_handshake
        )
        shared.in_handshake.add(self)
        shared.loads.add(1)
        self._loop.add_reader(self._file, self._shake_hands)

    # The handshake

    def _shake_hands(self) -> None:
        try:
            self._socket.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLWantWriteError:
            return self._wait_to_write(self._shake_hands)
        except OSError as error:
            logger.debug("no TLS with %s: %s", self._peer, error)
            return self.abort()
        self._stop_waiting_to_write()
        self._leave_handshake()
        self._cancel_deadline()
        self._loop.add_reader(self._file, self._read_ready)
        self._protocol.connection_made(self)

    def _leave_handshake(self) -> None:
        self._shared.in_handshake.discard(self)
        self._shared.limits.release(str(self._peer[0]))

    def _give_up_handshake(self) -> None:
        self._deadline = None
        logger.debug("no TLS with %s in time", self._peer)
        self.abort()

    # Reading

    def _read_ready(self) -> None:
        """Hand on what came, as one piece."""
        pieces: list[bytes] = []
        scratch = self._shared.scratch
        is_eof = False
        try:
            for _ in range(READS_A_TURN):
                count = self._socket.recv_into(scratch)
                if not count:
                    is_eof = True
                    break
                pieces.append(bytes(scratch[:count]))
                # A short record is the last of what the client had to say, as a rule: one call less than to ask.
                if count < RECORD // 2 and not self._socket.pending():
                    break
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLWantWriteError:  # a key update is to be answered
            self._wait_to_write(self._write_ready)
        except OSError as error:
            self._hand_on(pieces)
            return self._lose(error)
        self._hand_on(pieces)
        if is_eof and not self._is_lost:
            self._read_eof()

    def _hand_on(self, pieces: list[bytes]) -> None:
        if pieces:
            self._protocol.data_received(pieces[0] if len(pieces) == 1 else b"".join(pieces))

    def _read_eof(self) -> None:
        self._is_eof = True
        self._loop.remove_reader(self._file)
        if not self._protocol.eof_received():
            self.close()

    def pause_reading(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            if not self._is_closing and not self._is_eof:
                self._loop.remove_reader(self._file)

    def resume_reading(self) -> None:
        if self._is_paused:
            self._is_paused = False
            if not self._is_closing and not self._is_eof:
                self._loop.add_reader(self._file, self._read_ready)
                if self._socket.pending():  # decrypted already: the socket will not tell
                    self._loop.call_soon(self._read_pending)

    def _read_pending(self) -> None:
        if not (self._is_paused or self._is_closing or self._is_eof):
            self._read_ready()

    def is_reading(self) -> bool:
        return not (self._is_paused or self._is_closing or self._is_eof)

    # Writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not data or self._is_closing or self._is_lost:
            return
        self._backlog.append(memoryview(bytes(data)))
        self._backlog_size += len(data)
        if len(self._backlog) == 1:
            self._send()
        self._ask_to_pause()

    def _write_ready(self) -> None:
        self._send()
        if self._is_protocol_paused and self._backlog_size <= self._low:
            self._is_protocol_paused = False
            self._protocol.resume_writing()

    def _send(self) -> None:
        """Write what the socket takes. A piece that it did not take is offered again as it was, as OpenSSL wants it."""
        backlog = self._backlog
        try:
            while backlog:
                piece = backlog[0]
                count = self._socket.write(piece)  # a record at most
                self._backlog_size -= count
                if count == len(piece):
                    backlog.popleft()
                else:
                    backlog[0] = piece[count:]
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return self._wait_to_write(self._write_ready)
        except OSError as error:
            return self._lose(error)
        self._stop_waiting_to_write()
        if self._is_closing:
            self._say_goodbye()

    def _wait_to_write(self, callback: Callable[[], None]) -> None:
        self._is_writer_added = True
        self._loop.add_writer(self._file, callback)

    def _stop_waiting_to_write(self) -> None:
        if self._is_writer_added:
            self._is_writer_added = False
            self._loop.remove_writer(self._file)

    def _ask_to_pause(self) -> None:
        if self._backlog_size > self._high and not self._is_protocol_paused:
            self._is_protocol_paused = True
            self._protocol.pause_writing()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._high = HIGH_WATER if high is None else high
        self._low = self._high // 4 if low is None else low
        self._ask_to_pause()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def get_write_buffer_size(self) -> int:
        return self._backlog_size

    def can_write_eof(self) -> bool:
        return False

    # The end

    def close(self) -> None:
        """Send what waits and close_notify; then the client has `shutdown_seconds` to end its side."""
        if self._is_closing or self._is_lost:
            return
        self._is_closing = True
        if not self._is_paused and not self._is_eof:
            self._loop.remove_reader(self._file)
        self._deadline = self._loop.call_later(FLUSH_SECONDS, self._lose, None)
        if not self._backlog:
            self._say_goodbye()

    def _say_goodbye(self) -> None:
        """close_notify and FIN. What the client still sends is dropped: closing at once would reset the connection, and
        take away what it has not read yet."""
        self._cancel_deadline()
        try:
            self._socket.unwrap()
        except ssl.SSLWantWriteError:
            self._deadline = self._loop.call_later(FLUSH_SECONDS, self._lose, None)
            return self._wait_to_write(self._say_goodbye)
        except (
            ssl.SSLError
        ):  # ours is sent; the client's is not here yet, or what it sent before is in the way
            pass
        except OSError:
            return self._lose(None)
        self._stop_waiting_to_write()
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            return self._lose(None)
        if self._is_eof:
            return self._lose(None)
        self._may_drop = DROPPED_MAXIMUM
        self._deadline = self._loop.call_later(self._shared.shutdown_seconds, self._lose, None)
        self._loop.add_reader(self._file, self._drop)

    def _drop(self) -> None:
        try:
            count = self._socket.recv_into(self._shared.scratch)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError):
            return
        except OSError:
            count = 0
        self._may_drop -= count
        if not count or self._may_drop < 0:
            self._lose(None)

    def is_closing(self) -> bool:
        return self._is_closing or self._is_lost

    def abort(self) -> None:
        self._lose(None)

    def _lose(self, error: OSError | None) -> None:
        if self._is_lost:
            return
        self._is_lost = True
        self._shared.loads.add(-1)
        self._cancel_deadline()
        self._backlog.clear()
        self._backlog_size = 0
        self._loop.remove_reader(self._file)
        self._stop_waiting_to_write()
        if self in self._shared.in_handshake:  # the protocol never heard of it
            self._leave_handshake()
            self._socket.close()
        else:
            self._loop.call_soon(self._end, error)

    def _end(self, error: OSError | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._socket.close()

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    # What asyncio's transports tell

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        match name:
            case "socket" | "ssl_object":
                return self._socket
            case "peername":
                return self._peer
            case "sockname":
                return self._socket.getsockname()
            case "sslcontext":
                return self._shared.context
            case "cipher":
                return self._socket.cipher()
        return default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol  # type: ignore[assignment]

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol
