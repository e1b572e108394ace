"""A blocking IMAP client that knows only lines and literals, for transcripts and for tests of odd input.

Every response that it reads is checked against the grammar (tests/transport/imap/grammar).
"""

import re
import socket
import ssl

from tests.transport.imap.grammar.responses import ResponseChecker
from tests.transport.imap.running import RunningServer

_LITERAL = re.compile(rb"\{([0-9]+)\}\r\n$")
SECONDS = 10


class Dialogue:
    """One connection; the greeting is read already."""

    def __init__(self, server: RunningServer, *, source: str = "127.0.0.1") -> None:
        raw = socket.create_connection(
            ("127.0.0.1", server.port), timeout=SECONDS, source_address=(source, 0)
        )
        self.socket: ssl.SSLSocket = server.tls.wrap_socket(
            raw,
            server_hostname="localhost",
            suppress_ragged_eofs=False,  # an end without close_notify is an error
        )
        self._file = self.socket.makefile("rb")
        self._checker = ResponseChecker()
        self.greeting = self.response()
        self._tags = 0

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def response(self) -> bytes:
        """One response with its literals; b"" when the server has closed the connection in order."""
        whole = b""
        while line := self._file.readline():
            whole += line
            literal = _LITERAL.search(line)
            if literal is None:
                self._checker.check(whole)
                return whole
            whole += self._file.read(int(literal[1]))
        return whole

    def command(self, text: bytes) -> list[bytes]:
        """Send a command and read up to its tagged response, the last of the list."""
        self._tags += 1
        tag = b"t%d" % self._tags
        self.send(tag + b" " + text + b"\r\n")
        return self.until(tag)

    def until(self, tag: bytes) -> list[bytes]:
        responses = []
        while True:
            response = self.response()
            assert response, f"closed after {responses}"
            responses.append(response)
            if response.startswith(tag + b" "):
                return responses

    def log_in(self, address: str, password: str) -> None:
        answer = self.command(f'LOGIN "{address}" "{password}"'.encode())[-1]
        assert b" OK " in answer, answer

    def append(self, folder: str, content: bytes, flags: str = "") -> bytes:
        start = f"APPEND {folder} {flags + ' ' if flags else ''}".encode()
        return self.command(start + b"{%d+}\r\n%b" % (len(content), content))[-1]

    def close(self) -> None:
        self._file.close()
        self.socket.close()
