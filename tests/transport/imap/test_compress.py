"""COMPRESS=DEFLATE and UNAUTHENTICATE on a connection (RFC 4978, RFC 8437)."""

import zlib

from tests.transport.imap.conftest import Account, Connect
from tests.transport.imap.dialogue import Dialogue
from tests.transport.imap.running import RunningServer

MESSAGE = b"Subject: x\r\n\r\n" + b"body\r\n" * 20_000


class Compressed:
    """A connection on which COMPRESS was answered OK."""

    def __init__(self, dialogue: Dialogue) -> None:
        assert dialogue.command(b"COMPRESS DEFLATE")[-1].endswith(b"OK DEFLATE active\r\n")
        self.socket = dialogue.socket
        self.out = zlib.compressobj(6, zlib.DEFLATED, -15)
        self.into = zlib.decompressobj(-15)
        self.received = 0
        self._text = b""

    def send(self, data: bytes) -> None:
        self.socket.sendall(self.out.compress(data) + self.out.flush(zlib.Z_SYNC_FLUSH))

    def until(self, end: bytes) -> bytes:
        while end not in self._text:
            raw = self.socket.recv(65536)
            assert raw, self._text[-200:]
            self.received += len(raw)
            self._text += self.into.decompress(raw)
        place = self._text.index(end) + len(end)
        found, self._text = self._text[:place], self._text[place:]
        return found


def test_both_ways(connect: Connect) -> None:
    client = Compressed(connect())
    client.send(b"a APPEND INBOX {%d+}\r\n%b\r\nb SELECT INBOX\r\n" % (len(MESSAGE), MESSAGE))
    assert b"* 1 EXISTS" in client.until(b"b OK [READ-WRITE] Selected\r\n")
    client.received = 0
    client.send(b"c FETCH 1 BODY[]\r\n")
    assert MESSAGE in client.until(b"c OK Fetched\r\n")
    assert client.received < len(MESSAGE) / 10
    client.send(b"d COMPRESS DEFLATE\r\ne COMPRESS LZ4\r\nf IDLE\r\n")
    client.until(b"d BAD Compression is on already\r\n")
    client.until(b"e BAD ")
    client.until(b"+ idling\r\n")
    client.send(b"DONE\r\ng LOGOUT\r\n")
    client.until(b"g OK Good bye\r\n")


def test_what_is_sent_before_the_answer_refuses_it(connect: Connect) -> None:
    dialogue = connect()
    dialogue.send(b"a COMPRESS DEFLATE\r\nb NOOP\r\n")
    assert dialogue.until(b"a")[-1].startswith(b"a BAD ")
    assert dialogue.until(b"b")[-1] == b"b OK Done\r\n"


def test_noise_ends_the_connection_with_a_word(connect: Connect) -> None:
    client = Compressed(connect())
    client.socket.sendall(b"\xff" * 100)
    client.until(b"* BYE What came is not compressed as agreed\r\n")


def test_a_bomb_is_a_line_too_long(connect: Connect, imap: RunningServer) -> None:
    """100 MB of one letter in 100 KB: never held, and others are served meanwhile."""
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(bomb.compress(b"x" * 1_000_000) for _ in range(100))
    packed += bomb.flush(zlib.Z_SYNC_FLUSH)
    assert len(packed) < 150_000
    client, other = Compressed(connect()), connect()
    client.socket.sendall(packed)
    assert b"OK" in other.command(b"NOOP")[-1]
    client.until(b"* BYE line too long\r\n")
    for session in imap.server.sessions:
        assert len(session.connection.reader) < 200_000


def test_unauthenticate_ends_login_modes_and_compression(
    connect: Connect, account: Account
) -> None:
    client = Compressed(connect())
    client.send(b"a ENABLE QRESYNC\r\nb SELECT INBOX\r\n")
    client.until(b"b OK [READ-WRITE] Selected\r\n")
    client.send(b"c UNAUTHENTICATE\r\n")
    assert b" AUTH=PLAIN " in client.until(b"Logged out\r\n")
    client.socket.sendall(
        b'd NOOP\r\ne SELECT INBOX\r\nf LOGIN "%b" "%b"\r\ng SELECT INBOX (QRESYNC (1 1))\r\n'
        % (account.address.encode(), account.password.encode())
    )
    plain = b""
    while b"g BAD " not in plain:
        raw = client.socket.recv(65536)
        assert raw, plain
        if not client.into.eof:
            client.into.decompress(raw)
            raw = client.into.unused_data
        plain += raw
    assert plain.startswith(b"d OK Done\r\ne BAD log in first\r\nf OK [CAPABILITY ")


def test_unauthenticate_and_the_next_login_in_one_packet(
    connect: Connect, account: Account
) -> None:
    dialogue = connect()
    login = f'b LOGIN "{account.address}" "{account.password}"'.encode()
    dialogue.send(b"a UNAUTHENTICATE\r\n" + login + b"\r\n")
    assert b" OK [CAPABILITY " in dialogue.until(b"a")[-1]
    assert b" OK [CAPABILITY " in dialogue.until(b"b")[-1]
    assert dialogue.command(b"SELECT INBOX")[-1].startswith(b"t2 OK ")
