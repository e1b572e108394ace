"""How a session begins: in the clear with STARTTLS, or with a ClientHello; and what is said in the clear."""

import contextlib
import socket
import ssl
import time
from typing import Any

import pytest

from routing.sieve.language import standard
from tests.transport.managesieve.conftest import Account, Connect
from tests.transport.managesieve.dialogue import Dialogue
from tests.transport.managesieve.running import RunningServer
from transport.managesieve import clear


def test_the_greeting_in_the_clear_offers_tls_and_no_login(connect: Connect) -> None:
    greeting = connect(way="clear").greeting
    assert b'"STARTTLS"\r\n' in greeting
    assert b'"SASL" ""\r\n' in greeting
    assert b'"VERSION" "1.0"\r\n' in greeting
    assert greeting[-1].startswith(b"OK")


@pytest.mark.parametrize("way", ["starttls", "implicit"])
def test_capabilities_come_within_tls(connect: Connect, way: str) -> None:
    greeting = connect(way=way, login=False).greeting
    assert b'"STARTTLS"\r\n' not in greeting
    assert b'"SASL" "SCRAM-SHA-256 PLAIN"\r\n' in greeting
    assert b'"SIEVE" "%b"\r\n' % " ".join(standard().capabilities).encode() in greeting
    assert b'"NOTIFY" "mailto"\r\n' in greeting
    assert b'"EXTLISTS" "urn"\r\n' in greeting
    assert b'"MAXREDIRECTS" "4"\r\n' in greeting
    assert b'"LANGUAGE" "en"\r\n' in greeting
    assert not [line for line in greeting if b"OWNER" in line]


def test_the_owner_is_told_after_the_login(connect: Connect, account: Account) -> None:
    client = connect()
    assert b'"OWNER" "%b"\r\n' % account.address.encode() in client.command(b"CAPABILITY")
    client.command(b"UNAUTHENTICATE")
    assert not [line for line in client.command(b"CAPABILITY") if b"OWNER" in line]


def test_a_client_hello_that_comes_late_is_no_greeting(managesieve: RunningServer) -> None:
    """The server has greeted by then; what comes is noise in the clear."""
    with socket.create_connection(("127.0.0.1", managesieve.port), timeout=10) as plain:
        began = time.monotonic()
        assert plain.recv(1) == b'"'
        assert time.monotonic() - began < 5
        assert time.monotonic() - began >= clear.CLIENT_HELLO_SECONDS * 0.9
        tls = managesieve.tls.wrap_socket(
            plain, server_hostname="localhost", do_handshake_on_connect=False
        )
        with pytest.raises((ssl.SSLError, OSError)):
            tls.do_handshake()


def test_a_client_that_speaks_first_is_greeted_at_once(managesieve: RunningServer) -> None:
    with socket.create_connection(("127.0.0.1", managesieve.port), timeout=10) as plain:
        plain.sendall(b"NOOP\r\n")
        lines = plain.makefile("rb")
        seen = [lines.readline() for _ in range(12)]
        assert seen[-2].startswith(b"OK")
        assert seen[-1] == b'OK "Done"\r\n'


@pytest.mark.parametrize(
    "command",
    [b'AUTHENTICATE "PLAIN" "AHgAeQ=="', b'AUTHENTICATE "SCRAM-SHA-256"', b'AUTHENTICATE "LOGIN"'],
)
def test_nobody_logs_in_in_the_clear(connect: Connect, command: bytes) -> None:
    client = connect(way="clear")
    (answer,) = client.command(command)
    assert answer.startswith(b"NO (ENCRYPT-NEEDED) ")


def test_commands_in_the_clear(connect: Connect) -> None:
    client = connect(way="clear")
    assert client.command(b"listscripts")[-1].startswith(b"NO ")
    assert client.command(b'NOOP "a\\"b"') == [b'OK (TAG "a\\"b") "Done"\r\n']
    assert client.command(b"capability") == [*client.greeting[:-1], b"OK\r\n"]
    client.send(b"Logout\r\nNOOP\r\n")
    assert client.answer()[-1].startswith(b"OK ")
    assert client.response() == b""


@pytest.mark.parametrize("injected", [b"NOOP\r\n", b"N", b'AUTHENTICATE "PLAIN" "AHgAeQ=="\r\n'])
def test_what_follows_starttls_in_the_clear_is_never_taken(
    connect: Connect, injected: bytes
) -> None:
    client = connect(way="clear")
    client.send(b"STARTTLS\r\n" + injected)
    assert client.response().startswith(b"BYE ")
    assert client.response() == b""


def test_what_is_injected_after_the_answer_fails_the_handshake(connect: Connect) -> None:
    client = connect(way="clear")
    assert client.command(b"STARTTLS")[-1].startswith(b"OK")
    client.send(b"NOOP\r\n")
    with pytest.raises((ssl.SSLError, OSError)):
        client.begin_tls()


def test_starttls_within_tls_is_refused(connect: Connect) -> None:
    client = connect(login=False)
    assert client.command(b"STARTTLS")[-1].startswith(b"NO ")
    assert client.command(b"NOOP")[-1].startswith(b"OK ")


def test_errors_in_the_clear_are_counted(connect: Connect) -> None:
    client = connect(way="clear")
    client.send(b"\xff\xfe nonsense\r\n" * clear.BAD_MAXIMUM)
    answers = [client.response() for _ in range(clear.BAD_MAXIMUM)]
    assert all(answer.startswith(b"NO ") for answer in answers[:-1])
    assert answers[-1].startswith(b"BYE ")
    assert client.response() == b""


@pytest.mark.parametrize("start", [b"NOOP " + b"x" * 20_000, b"NOOP {99999+}\r\n", b"NOOP {5}\r\n"])
def test_what_is_too_long_in_the_clear_ends_in_bye(connect: Connect, start: bytes) -> None:
    client = connect(way="clear")
    client.send(start)
    assert client.response().startswith(b"BYE ")
    assert client.response() == b""


def test_http_in_the_clear_is_hung_up_on(connect: Connect) -> None:
    browser = connect(way="clear")
    browser.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with contextlib.suppress(ConnectionResetError):
        assert browser.response() == b""


def test_a_client_does_not_stay_in_the_clear(
    managesieve: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clear, "CLEAR_SECONDS", 0.4)
    client = Dialogue(managesieve, "clear")
    client.send(b"NO")
    assert client.response().startswith(b"BYE ")
    assert client.response() == b""


def test_places_are_given_back(managesieve: RunningServer) -> None:
    listening = managesieve.server._listening
    assert listening is not None
    for way in ("clear", "starttls", "implicit"):
        client = Dialogue(managesieve, way)
        client.command(b"LOGOUT")
        assert client.response() == b""
        client.close()
    with socket.create_connection(("127.0.0.1", managesieve.port)):
        pass
    deadline = time.monotonic() + 10
    while listening.in_handshake and time.monotonic() < deadline:
        time.sleep(0.01)  # the server hears of the end a moment later
    assert listening.in_handshake == 0
    assert not listening._shared.limits._open


def test_a_busy_process_still_sees_the_client_hello(
    managesieve: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop is held up until both the ClientHello and the end of the wait for it are there."""
    monkeypatch.setattr(clear, "CLIENT_HELLO_SECONDS", 0.0)
    accept = clear.ClearPhase.__init__

    def late(*arguments: Any) -> None:
        time.sleep(0.1)
        accept(*arguments)

    monkeypatch.setattr(clear.ClearPhase, "__init__", late)
    client = Dialogue(managesieve, "implicit")
    assert client.command(b"NOOP") == [b'OK "Done"\r\n']
