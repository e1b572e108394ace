"""Attacks by number, slowness and DNS: bounded work, and another client's mail goes through meanwhile."""

import base64
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.transport.authentication.test_signatures import _der, public, signed
from tests.transport.smtp.conftest import Dialogue
from tests.transport.smtp.test_receiving import MESSAGE, deliver
from transport import connection_limits
from transport.connection_limits import ConnectionLimits
from transport.smtp import judging, policing, session
from transport.smtp import server as smtp_server

HELLO = "EHLO client.example"
NORMAL_SECONDS = 2.0


@pytest.fixture
def others_mail_passes(server: Any, make_user: Any, zones: Any) -> Callable[[], None]:
    """Called in the midst of an attack: somebody else's message is taken at normal speed."""
    user = make_user()

    def check() -> None:
        began = time.monotonic()
        with server.client() as client:
            client.sendmail("b@other.example", [user.address], MESSAGE)
        assert time.monotonic() - began < NORMAL_SECONDS

    return check


def results(stored: Any, user: Any) -> bytes:
    """The Authentication-Results of the one message that the user has got."""
    [message] = stored(user)
    return bytes(message).partition(b"Received:")[0]


def test_of_200_signatures_ten_cost_something(
    dialogue, make_user, zones, stored, others_mail_passes
) -> None:
    user = make_user()
    zones.add_text("s1._domainkey.example.test", f"v=DKIM1; p={public()}")
    message = signed()
    field = message.partition(b"\r\nFrom:")[0] + b"\r\n"
    began = time.monotonic()
    reply = deliver(dialogue, "a@s.example", user.address, content=field * 199 + message)
    assert reply.startswith("250 2.0.0")
    assert time.monotonic() - began < NORMAL_SECONDS
    assert results(stored, user).count(b"dkim=pass") == 10
    assert [name for name, _ in zones.queries].count("s1._domainkey.example.test") == 1
    others_mail_passes()


def test_a_huge_key_is_not_computed_with(dialogue, make_user, zones, stored) -> None:
    user = make_user()
    key = base64.b64encode(_der((1 << 16384) - 159, (1 << 16000) + 1)).decode()
    zones.add_text("s1._domainkey.example.test", f"v=DKIM1; p={key}")
    began = time.monotonic()
    reply = deliver(dialogue, "a@s.example", user.address, content=signed())
    assert reply.startswith("250 2.0.0")
    assert time.monotonic() - began < NORMAL_SECONDS
    assert b"dkim=permerror" in results(stored, user)


def test_an_spf_bomb_is_a_permanent_error(
    dialogue, make_user, zones, stored, others_mail_passes
) -> None:
    user = make_user()
    for number in range(200):
        more = " ".join(f"include:i{number + step}.bomb.example" for step in range(1, 9))
        zones.add_text(f"i{number}.bomb.example", f"v=spf1 {more} -all")
    zones.add_text("bomb.example", "v=spf1 include:i0.bomb.example -all")
    reply = deliver(dialogue, "a@bomb.example", user.address)
    assert reply.startswith("250 2.0.0")
    assert b"spf=permerror" in results(stored, user)
    assert len([name for name, _ in zones.queries if name.endswith("bomb.example")]) <= 15
    others_mail_passes()


def test_a_dns_that_never_answers_delays_only_its_own_mail(
    dialogue, make_user, zones, stored, others_mail_passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "JUDGING_SECONDS", 1.0)
    monkeypatch.setattr(policing, "GATHER_SECONDS", 0.5)
    for name in ("silent.example", "_dmarc.silent.example", "s1._domainkey.example.test"):
        zones.fail(name, "DROP")
    user = make_user()
    message = signed().replace(b"joe@example.test", b"joe@silent.example")
    dialogue.say_all("MAIL FROM:<a@silent.example>", f"RCPT TO:<{user.address}>", "DATA")
    began = time.monotonic()
    dialogue.send(message + b".\r\n")
    others_mail_passes()
    assert dialogue.reply().startswith("250 2.0.0")
    assert time.monotonic() - began < 5
    assert b"spf=temperror" in results(stored, user)


def test_of_1000_connections_of_one_address_some_are_let_in(
    run_server, make_user, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "LOCAL_MAXIMUM", 50)
    server = run_server(limits=ConnectionLimits(per_address=50))
    opened = [
        Dialogue(socket.create_connection(("127.0.0.1", server.ports["smtp"]), timeout=20))
        for _ in range(1000)
    ]
    try:
        codes = [one.reply()[:3] for one in opened]
        assert codes.count("220") == 50
        assert set(codes) <= {"220", "421", ""}
        user = make_user()
        began = time.monotonic()
        other = Dialogue(
            socket.create_connection(
                ("127.0.0.1", server.ports["smtp"]), timeout=20, source_address=("127.0.0.2", 0)
            )
        )
        assert other.reply().startswith("220")
        assert "250 HELP" in other.say(HELLO)
        assert deliver(other, "a@s.example", user.address).startswith("250 2.0.0")
        assert time.monotonic() - began < NORMAL_SECONDS
        other.close()
    finally:
        for one in opened:
            one.close()


def test_one_octet_at_a_time_is_ended_in_time(
    server, make_user, others_mail_passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deadline is one of the whole command, or message: no octet puts it off."""
    monkeypatch.setattr(session, "COMMAND_SECONDS", 1.0)
    monkeypatch.setattr(smtp_server, "MESSAGE_SECONDS", 1.0)
    of_commands, of_data = server.dialogue(), server.dialogue()
    of_data.say_all(HELLO, "MAIL FROM:<a@s.example>", f"RCPT TO:<{make_user().address}>", "DATA")
    began = time.monotonic()
    others_mail_passes()
    for one in (of_commands, of_data):
        one.connection.settimeout(0.1)
        while time.monotonic() - began < 10:
            try:
                one.send(b"x")
                if one.connection.recv(100):
                    break  # the reply before the close
            except TimeoutError:
                continue
            except OSError:
                break
        assert time.monotonic() - began < 5
        one.close()


def test_what_is_sent_before_tls_is_not_a_command_within_it(server) -> None:
    """The command that an attacker in the middle puts behind STARTTLS."""
    dialogue = server.dialogue()
    dialogue.say(HELLO)
    dialogue.send(b"STARTTLS\r\nMAIL FROM:<evil@s.example>\r\n")
    assert dialogue.reply().startswith("220")
    safe = Dialogue(server.tls().wrap_socket(dialogue.connection, server_hostname="localhost"))
    assert safe.say("RCPT TO:<a@s.example>").startswith("503")  # no reply to MAIL stands before
    safe.close()
