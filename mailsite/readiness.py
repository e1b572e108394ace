"""Whether a listener really answers: a connection of our own, driven without ever blocking the supervisor."""

import contextlib
import socket
import ssl
from dataclasses import dataclass, field

_tls = ssl.create_default_context()
_tls.check_hostname = False
_tls.verify_mode = ssl.CERT_NONE


@dataclass(slots=True)
class Probe:
    """Asks `hello` of a port until anything comes back. `poll` takes no time."""

    name: str
    address: str
    port: int
    hello: bytes = b""
    is_tls: bool = False
    is_ready: bool = False
    _connection: socket.socket | None = field(default=None)
    _has_asked: bool = False

    def poll(self) -> bool:
        """Go as far as it goes now; True as soon as the listener has answered."""
        if self.is_ready:
            return True
        try:
            self._step()
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:
            self._close()
        return self.is_ready

    def _step(self) -> None:
        if self._connection is None:
            # The supervisor itself holds the listening socket: the kernel accepts at once.
            plain = socket.create_connection((self.address, self.port), timeout=1)
            plain.setblocking(False)
            self._connection = plain
            if self.is_tls:
                self._connection = _tls.wrap_socket(plain, do_handshake_on_connect=False)
        if isinstance(self._connection, ssl.SSLSocket):
            self._connection.do_handshake()
        if self.hello and not self._has_asked:
            self._connection.sendall(self.hello)
            self._has_asked = True
        answer = self._connection.recv(512)
        self._close()
        self.is_ready = bool(answer)

    def _close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
        self._connection = None
        self._has_asked = False


def reachable_address(bound: str) -> str:
    """Where a listener bound to this address is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bound, bound)
