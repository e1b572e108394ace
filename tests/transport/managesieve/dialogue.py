"""A blocking ManageSieve client that knows only lines and literals, for transcripts and for tests of odd input.

Every line that it reads is checked against the grammar of what a server may say (RFC 5804 §4).
"""

import base64
import re
import socket
import ssl
from typing import Protocol

SECONDS = 30
_LITERAL = re.compile(rb"\{([0-9]+)\}\r\n$")
_STRING = rb'(?:"(?:[^"\\\r\n\x00]|\\["\\]){0,1024}"|\{0\}\r\n|\{[0-9]+\}\r\n.*?)'
_CODE = rb"[A-Z][A-Z/-]*(?: " + _STRING + rb")?"
_LINE = re.compile(
    rb"(?:(?:OK|NO|BYE)(?: \(" + _CODE + rb"\))?(?: " + _STRING + rb")?"
    rb"|" + _STRING + rb"(?: (?:ACTIVE|" + _STRING + rb"))?)\r\n",
    re.DOTALL,
)
END = (b"OK", b"NO", b"BYE")


class Place(Protocol):
    """Where a server listens, and how its certificate is checked."""

    port: int
    tls: ssl.SSLContext


class Dialogue:
    """One connection; the greeting is read already. `way`: TLS after STARTTLS, from the first byte, or none."""

    def __init__(self, server: Place, way: str = "starttls", *, source: str = "127.0.0.1") -> None:
        self._tls = server.tls
        self.socket: socket.socket = socket.create_connection(
            ("127.0.0.1", server.port), timeout=SECONDS, source_address=(source, 0)
        )
        if way == "implicit":
            self.begin_tls()
        self._file = self.socket.makefile("rb")
        self.greeting = self.answer()
        if way == "starttls":
            assert self.command(b"STARTTLS")[-1].startswith(b"OK")
            self.begin_tls()
            self.greeting = self.answer()

    def begin_tls(self) -> None:
        self.socket = self._tls.wrap_socket(
            self.socket, server_hostname="localhost", suppress_ragged_eofs=False
        )
        self._file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def response(self) -> bytes:
        """One line with its literals; b"" when the server has closed the connection in order."""
        whole = b""
        while line := self._file.readline():
            whole += line
            literal = _LITERAL.search(line)
            if literal is None:
                assert _LINE.fullmatch(whole), whole
                return whole
            whole += self._file.read(int(literal[1]))
        return whole

    def answer(self) -> list[bytes]:
        """Lines up to the one that ends an answer, the last of the list."""
        lines = []
        while True:
            line = self.response()
            assert line, f"closed after {lines}"
            lines.append(line)
            if line.split()[0] in END:
                return lines

    def command(self, text: bytes) -> list[bytes]:
        """Send a command and read its answer."""
        self.send(text + b"\r\n")
        return self.answer()

    def log_in(self, address: str, password: str) -> None:
        plain = base64.b64encode(f"\0{address}\0{password}".encode())
        answer = self.command(b'AUTHENTICATE "PLAIN" "%b"' % plain)
        assert answer[-1].startswith(b"OK"), answer

    def put(self, name: str, content: bytes) -> bytes:
        start = f'PUTSCRIPT "{name}" {{{len(content)}+}}\r\n'.encode()
        return self.command(start + content)[-1]

    def close(self) -> None:
        self._file.close()
        self.socket.close()
