"""Accepts TLS connections on listening sockets (RFC 8314: TLS from the first byte, unless another beginning is given),
beside other processes that do."""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any

from transport.tls_transport import Accepting, TlsTransport
from transport.worker_loads import WorkerLoads, current

YIELD_SECONDS = 0.002
"""How long a process that holds more connections than another lets it be quicker."""
ACCEPT_PAUSE_SECONDS = 0.5  # when the process has no file left

_NO_FILES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

MakeProtocol = Callable[[], asyncio.Protocol]

logger = logging.getLogger(__name__)


def _begin_tls(shared: Accepting, connection: socket.socket, peer: Any, make: MakeProtocol) -> None:
    TlsTransport(shared, connection, peer, make())


class TlsServer:
    """Accepts on listening sockets until `close`."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        context: ssl.SSLContext,
        protocol_factory: MakeProtocol,
        *,
        handshake_seconds: float,
        shutdown_seconds: float,
        loads: WorkerLoads | None = None,
        begin: Callable[[Accepting, socket.socket, Any, MakeProtocol], object] = _begin_tls,
    ) -> None:
        """`shutdown_seconds`: how long a closed connection waits for the client's own end. `loads`: of the processes
        that accept on the same sockets; those of this process's siblings unless given. `begin` takes an accepted
        connection; its place in the limits goes on to a TlsTransport, or is released.
        """
        self._shared = Accepting(context, handshake_seconds, shutdown_seconds, loads or current())
        self._listeners = listeners
        self._protocol_factory = protocol_factory
        self._begin = begin
        self._loop = asyncio.get_running_loop()
        self._is_closed = False
        for listener in listeners:
            listener.setblocking(False)
            self._loop.add_reader(listener.fileno(), self._accept, listener)

    @property
    def in_handshake(self) -> int:
        """Connections that are not up yet."""
        return len(self._shared.in_handshake)

    def close(self) -> None:
        """Accept no more, and end the handshakes; connections that are up stay."""
        if self._is_closed:
            return
        self._is_closed = True
        for listener in self._listeners:
            self._loop.remove_reader(listener.fileno())
            listener.close()
        for transport in tuple(self._shared.in_handshake):
            transport.abort()

    def _accept(self, listener: socket.socket) -> None:
        """One connection a turn; another process that holds fewer may have it."""
        if self._shared.loads.is_ahead:
            self._loop.remove_reader(listener.fileno())
            self._loop.call_later(YIELD_SECONDS, self._accept_next, listener)
            return
        self._accept_one(listener)

    def _accept_next(self, listener: socket.socket) -> None:
        if not self._is_closed:
            self._loop.add_reader(listener.fileno(), self._accept, listener)
            self._accept_one(listener)

    def _accept_one(self, listener: socket.socket) -> None:
        try:
            connection, peer = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in _NO_FILES:
                raise
            logger.error("a connection cannot be accepted: %s", error)
            self._loop.remove_reader(listener.fileno())
            self._loop.call_later(ACCEPT_PAUSE_SECONDS, self._accept_again, listener)
            return
        if not self._shared.limits.admit(str(peer[0])):
            connection.close()
            return
        try:
            self._begin(self._shared, connection, peer, self._protocol_factory)
        except OSError:  # it has hung up already
            self._shared.limits.release(str(peer[0]))
            connection.close()

    def _accept_again(self, listener: socket.socket) -> None:
        if not self._is_closed:
            self._loop.add_reader(listener.fileno(), self._accept, listener)
