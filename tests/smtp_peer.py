"""A real SMTP server on loopback whose replies a test writes: the next hop, or the relay, of outbound tests.

    with SmtpPeer() as peer:
        peer.reply("RCPT", "450 4.2.1 not now", "250 2.1.5 ok")     # the first time, from then on
        peer.reply("RCPT bob@example.test", "550 5.1.1 who?")         # for one address
        peer.reply("CONNECT", DROP)                                    # hang up there
        gate = peer.hold(".")                                          # wait after the final dot, until gate.set()
        ...
        peer.wait_for_messages(1)

Stages are CONNECT, the verbs (EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, RSET, NOOP, QUIT), BODY (while the
content arrives) and "." (the reply to the content). A reply of several lines is written with "\\n" between them.
"""

import base64
import contextlib
import socket
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.certificates import Certificate

DROP = "DROP"
EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 52428800", "DSN", "ENHANCEDSTATUSCODES")
TIMEOUT_SECONDS = 30.0


@dataclass(slots=True)
class PeerMessage:
    """One transaction that was taken: the paths without brackets, their parameters, the content as sent."""

    helo: str = ""
    reverse_path: str = ""
    mail_parameters: tuple[str, ...] = ()
    recipients: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    content: bytes = b""
    is_tls: bool = False
    login: str = ""

    @property
    def forward_paths(self) -> list[str]:
        return [address for address, _ in self.recipients]


class SmtpPeer:
    """Serves from `start` to `stop`, or as a context manager; one thread a connection."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        extensions: Sequence[str] = EXTENSIONS,
        certificate: Certificate | None = None,
        is_implicit_tls: bool = False,
        users: dict[str, str] | None = None,
    ):
        self.extensions = tuple(extensions)
        self.users = users or {}
        self.is_auth_announced = True  # else only by what `extensions` says
        self.is_implicit_tls = is_implicit_tls
        self.messages: list[PeerMessage] = []
        self.commands: list[str] = []
        self.connections = 0
        self._replies: dict[str, list[str]] = {}
        self._holds: dict[str, threading.Event] = {}
        self._changed = threading.Condition()
        self._reached: dict[str, int] = {}
        self._is_stopped = False
        self._open: set[socket.socket] = set()
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate.cert_file, certificate.key_file)
        self._listener = socket.create_server((host, port), backlog=128)
        self.host, self.port = self._listener.getsockname()[:2]

    def start(self) -> "SmtpPeer":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def stop(self) -> None:
        self._is_stopped = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept
        self._listener.close()
        for gate in self._holds.values():
            gate.set()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> "SmtpPeer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # the script

    def reply(self, stage: str, *replies: str) -> None:
        """Answer the stage with these in turn, the last one for ever; no reply: the usual one again."""
        with self._changed:
            if replies:
                self._replies[stage] = list(replies)
            else:
                self._replies.pop(stage, None)

    def hold(self, stage: str) -> threading.Event:
        """Make the stage wait until the returned event is set."""
        gate = self._holds[stage] = threading.Event()
        return gate

    # what came

    def wait_for_messages(self, count: int, timeout: float = TIMEOUT_SECONDS) -> list[PeerMessage]:
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.messages) >= count, timeout):
                raise AssertionError(f"{len(self.messages)} of {count} messages came")
            return list(self.messages)

    def wait_for_stage(self, stage: str, count: int = 1, timeout: float = TIMEOUT_SECONDS) -> None:
        """Until the stage was reached this often."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._reached.get(stage, 0) >= count, timeout):
                raise AssertionError(f"{stage} was reached {self._reached.get(stage, 0)} times")

    # the server

    def _accept(self) -> None:
        while not self._is_stopped:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(TIMEOUT_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open.add(connection)
        try:
            if self.is_implicit_tls and self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                self._open.add(connection)
            _Dialogue(self, connection, self._tls, self.is_implicit_tls).run()
        except (OSError, EOFError):
            pass
        finally:
            self._open.discard(connection)
            connection.close()

    def _at(self, stage: str, usual: str, detail: str = "") -> str:
        """Note that the stage was reached, wait while it is held, and choose its reply."""
        with self._changed:
            self._reached[stage] = self._reached.get(stage, 0) + 1
            self._changed.notify_all()
        if stage in self._holds:
            self._holds[stage].wait(TIMEOUT_SECONDS)
        with self._changed:
            for key in (f"{stage} {detail}", stage):
                if queued := self._replies.get(key):
                    return queued.pop(0) if len(queued) > 1 else queued[0]
        return usual

    def _keep(self, message: PeerMessage) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()


class _Dialogue:
    """One connection."""

    def __init__(
        self, peer: SmtpPeer, connection: socket.socket, tls: ssl.SSLContext | None, is_tls: bool
    ):
        self._peer = peer
        self._socket = connection
        self._tls = tls
        self._is_tls = is_tls
        self._file = connection.makefile("rb")
        self._helo_name = ""
        self._login = ""
        self._message = PeerMessage()

    def run(self) -> None:
        self._send(self._peer._at("CONNECT", f"220 {self._peer.host} ESMTP"))
        while line := self._file.readline():
            text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
            self._peer.commands.append(text)
            verb = text.split(" ", 1)[0].upper()
            handler = getattr(self, f"_{verb.lower()}", None)
            if handler is None:
                self._send(self._peer._at(verb, "500 5.5.1 unknown"))
            elif handler(text[len(verb) :].strip()) is False:
                return

    def _send(self, reply: str) -> bool:
        """Send a reply; True when it is a 2yz or 3yz."""
        if reply == DROP:
            raise EOFError
        code, lines = reply[:3], reply[4:].split("\n")
        wire = [f"{code}{'-' if i < len(lines) - 1 else ' '}{text}" for i, text in enumerate(lines)]
        self._socket.sendall("".join(f"{line}\r\n" for line in wire).encode())
        return code[0] in "23"

    def _ehlo(self, name: str) -> None:
        self._helo_name = name
        offered = list(self._peer.extensions)
        if self._tls and not self._is_tls:
            offered.append("STARTTLS")
        if self._peer.users and self._peer.is_auth_announced:
            offered.append("AUTH PLAIN LOGIN")
        self._send(self._peer._at("EHLO", "250 " + "\n".join([str(self._peer.host), *offered])))

    def _helo(self, name: str) -> None:
        self._helo_name = name
        self._send(self._peer._at("HELO", "250 hello"))

    def _starttls(self, _: str) -> None:
        if not self._send(self._peer._at("STARTTLS", "220 2.0.0 go ahead")):
            return
        if self._tls is None:
            raise EOFError  # announced by `extensions`, and then it fails
        self._socket = self._tls.wrap_socket(self._socket, server_side=True)
        self._peer._open.add(self._socket)
        self._file = self._socket.makefile("rb")
        self._is_tls = True
        self._helo_name = ""

    def _auth(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        if mechanism.upper() == "PLAIN":
            answer = self._decode(initial) if initial else self._ask("")
            _, user, password = answer.split("\0")
        else:
            user = self._decode(initial) if initial else self._ask("VXNlcm5hbWU6")
            password = self._ask("UGFzc3dvcmQ6")
        is_known = user in self._peer.users and self._peer.users[user] == password
        if self._send(self._peer._at("AUTH", "235 2.7.0 ok" if is_known else "535 5.7.8 no")):
            self._login = user

    def _ask(self, challenge: str) -> str:
        self._send(f"334 {challenge}")
        return self._decode(self._file.readline().decode().strip())

    @staticmethod
    def _decode(text: str) -> str:
        return base64.b64decode(text).decode()

    def _mail(self, argument: str) -> None:
        path, parameters = _split_path(argument)
        usual = "250 2.1.0 ok"
        if self._peer.users and not self._login:
            usual = "530 5.7.0 authenticate first"
        if self._send(self._peer._at("MAIL", usual, path)):
            self._message = PeerMessage(self._helo_name, path, parameters)

    def _rcpt(self, argument: str) -> None:
        path, parameters = _split_path(argument)
        if self._send(self._peer._at("RCPT", "250 2.1.5 ok", path)):
            self._message.recipients.append((path, parameters))

    def _data(self, _: str) -> None:
        usual = "354 go ahead" if self._message.recipients else "554 5.5.1 no valid recipients"
        reply = self._peer._at("DATA", usual)
        if not self._send(reply) or not reply.startswith("354"):
            return
        content = bytearray()
        is_first = True
        while (line := self._file.readline()) != b".\r\n":
            if not line:
                raise EOFError
            if is_first and self._peer._at("BODY", "") == DROP:
                raise EOFError
            is_first = False
            content += line[1:] if line.startswith(b".") else line
        taken = self._message
        taken.content, taken.is_tls, taken.login = bytes(content), self._is_tls, self._login
        self._message = PeerMessage(self._helo_name)
        if (reply := self._peer._at(".", "250 2.0.0 taken")).startswith("2"):
            self._peer._keep(taken)
        self._send(reply)

    def _rset(self, _: str) -> None:
        self._message = PeerMessage(self._helo_name)
        self._send(self._peer._at("RSET", "250 2.0.0 ok"))

    def _noop(self, _: str) -> None:
        self._send(self._peer._at("NOOP", "250 2.0.0 ok"))

    def _quit(self, _: str) -> bool:
        self._send(self._peer._at("QUIT", "221 2.0.0 bye"))
        return False


def _split_path(argument: str) -> tuple[str, tuple[str, ...]]:
    """`FROM:<path> A=B C` as the path without brackets and the parameters."""
    path, _, parameters = argument.partition(":")[2].strip().partition(">")
    return path.removeprefix("<"), tuple(parameters.split())
