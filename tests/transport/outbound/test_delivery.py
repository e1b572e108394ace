"""Attempts over real sockets, to peers that misbehave in every way."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.certificates import Certificate, make_certificate
from tests.dns_server import DnsServer
from tests.smtp_peer import DROP, EXTENSIONS, SmtpPeer
from tests.transport.outbound.conftest import LIMITS, make_outside
from transport.outbound.delivery import Attempt, Courier, Outside
from transport.outbound.routes import MxRoute, RelayRoute
from transport.outbound.session import LeaseLost
from transport.outbound.tls import TlsPolicy
from transport.outbound.transmission import Addressee, Transmission
from transport.queue.outcomes import Result, Stage

CONTENT = b"Subject: x\r\n\r\n.dot\r\n..two\r\n.\r\nend\r\n"
ANN = Addressee(1, "ann@example.test")
BOB = Addressee(2, "bob@example.test")
ROUTE = MxRoute("example.test")


def send(
    outside: Outside,
    *addressees: Addressee,
    route: MxRoute | RelayRoute = ROUTE,
    holds: Callable[[], bool] = lambda: True,
    **changes: object,
) -> Attempt:
    transmission = Transmission("me@us.test", addressees or (ANN,), CONTENT)
    courier = Courier(route, outside)
    try:
        return courier.send(dataclasses.replace(transmission, **changes), holds)
    finally:
        courier.close()


def summary(attempt: Attempt) -> dict[int, tuple[Result, str]]:
    return {id: (one.result, one.status) for id, one in attempt.outcomes.items()}


def test_a_message_arrives_byte_for_byte(outside: Outside, peer: SmtpPeer) -> None:
    attempt = send(outside, ANN, BOB)
    [message] = peer.wait_for_messages(1)
    assert message.content == CONTENT
    assert message.reverse_path == "me@us.test"
    assert message.forward_paths == ["ann@example.test", "bob@example.test"]
    assert message.helo == "us.test"
    assert summary(attempt) == {1: (Result.DELIVERED, "2.0.0"), 2: (Result.DELIVERED, "2.0.0")}
    assert (attempt.host, attempt.address) == ("mx.example.test", "127.0.0.1")


def test_each_recipient_has_its_own_outcome(outside: Outside, peer: SmtpPeer) -> None:
    carol = Addressee(3, "carol@example.test")
    peer.reply("RCPT ann@example.test", "550 5.1.1 who?")
    peer.reply("RCPT bob@example.test", "450 busy")
    attempt = send(outside, ANN, BOB, carol)
    assert summary(attempt) == {
        1: (Result.PERMANENT, "5.1.1"),
        2: (Result.TEMPORARY, "4.2.0"),
        3: (Result.DELIVERED, "2.0.0"),
    }
    assert attempt.outcomes[1].reply == "550 5.1.1 who?"
    assert peer.wait_for_messages(1)[0].forward_paths == ["carol@example.test"]


def test_no_content_is_sent_when_every_recipient_is_refused(
    outside: Outside, peer: SmtpPeer
) -> None:
    peer.reply("RCPT", "550 no")
    assert summary(send(outside, ANN, BOB)) == {
        1: (Result.PERMANENT, "5.0.0"),
        2: (Result.PERMANENT, "5.0.0"),
    }
    assert "DATA" not in peer.commands


@pytest.mark.parametrize(
    ("stage", "reply", "result", "status"),
    [
        ("MAIL", "550 5.7.1 not you", Result.PERMANENT, "5.7.1"),
        ("MAIL", "451 4.7.1 greylisted", Result.TEMPORARY, "4.7.1"),
        ("DATA", "554 5.7.1 no", Result.PERMANENT, "5.7.1"),
        ("DATA", "451 later", Result.TEMPORARY, "4.3.0"),
        ("DATA", "250 what?", Result.TEMPORARY, "4.5.0"),
        (".", "554 5.6.0 spam\nreally", Result.PERMANENT, "5.6.0"),
        (".", "452 4.2.2 full", Result.TEMPORARY, "4.2.2"),
        (".", DROP, Result.TEMPORARY, "4.4.2"),
        ("BODY", DROP, Result.TEMPORARY, "4.4.2"),
        ("DATA", DROP, Result.TEMPORARY, "4.4.2"),
        ("RCPT", DROP, Result.TEMPORARY, "4.4.2"),
        ("MAIL", "421 4.3.2 closing", Result.TEMPORARY, "4.3.2"),
        ("CONNECT", DROP, Result.TEMPORARY, "4.4.2"),
        ("CONNECT", "421 4.7.0 too many", Result.TEMPORARY, "4.7.0"),
        ("CONNECT", "554 5.7.1 bad reputation", Result.TEMPORARY, "4.7.1"),
        ("CONNECT", "521 5.3.2 no mail here", Result.PERMANENT, "5.3.2"),
        ("CONNECT", "HTTP/1.1 400 Bad Request", Result.TEMPORARY, "4.4.2"),
        ("EHLO", "421 no", Result.TEMPORARY, "4.3.2"),
    ],
)
@pytest.mark.parametrize("is_pipelining", [True, False])
def test_what_a_reply_at_each_stage_means(
    dns: DnsServer, stage: str, reply: str, result: Result, status: str, is_pipelining: bool
) -> None:
    extensions = EXTENSIONS if is_pipelining else EXTENSIONS[1:]
    with SmtpPeer(extensions=extensions) as peer:
        dns.add("example.test", "MX", "10 mx.example.test.")
        dns.add("mx.example.test", "A", peer.host)
        peer.reply(stage, reply)
        attempt = send(make_outside(dns, peer.port), ANN, BOB)
        assert summary(attempt) == {1: (result, status), 2: (result, status)}
        assert peer.messages == []


@pytest.mark.parametrize("stage", ["CONNECT", "EHLO", "MAIL", "DATA", "."])
def test_a_peer_that_falls_silent_is_left(dns: DnsServer, peer: SmtpPeer, stage: str) -> None:
    limits = dataclasses.replace(LIMITS, greeting=0.2, command=0.2, data=0.2, content=0.2)
    gate = peer.hold(stage)
    attempt = send(make_outside(dns, peer.port, limits))
    gate.set()
    assert summary(attempt) == {1: (Result.TEMPORARY, "4.4.2")}
    assert "no reply in time" in attempt.outcomes[1].reply


def test_the_next_host_is_tried_when_one_is_down(dns: DnsServer) -> None:
    with SmtpPeer("127.0.0.3") as second, SmtpPeer("127.0.0.2", second.port) as first:
        dns.add("example.test", "MX", "5 dead.test.", "10 a.test.", "20 b.test.", "1 gone.test.")
        dns.add("dead.test", "A", "127.0.0.4")
        dns.add("a.test", "A", "127.0.0.2")
        dns.add("b.test", "A", "127.0.0.3")
        first.reply("CONNECT", "421 4.3.2 busy")
        attempt = send(make_outside(dns, second.port))
        assert summary(attempt) == {1: (Result.DELIVERED, "2.0.0")}
        assert attempt.host == "b.test"
        assert first.connections == 1


def test_no_second_host_gets_what_a_first_may_have_taken(dns: DnsServer) -> None:
    with SmtpPeer("127.0.0.3") as second, SmtpPeer("127.0.0.2", second.port) as first:
        dns.add("example.test", "MX", "10 a.test.", "20 b.test.")
        dns.add("a.test", "A", "127.0.0.2")
        dns.add("b.test", "A", "127.0.0.3")
        first.reply(".", DROP)
        attempt = send(make_outside(dns, second.port))
        assert attempt.outcomes[1].result is Result.TEMPORARY
        assert attempt.outcomes[1].stage is Stage.CONTENT
        assert second.connections == 0


def test_a_host_that_is_down_is_remembered(dns: DnsServer, outside: Outside) -> None:
    with SmtpPeer() as peer:
        port = peer.port
    dns.add("down.test", "A", "127.0.0.1")
    outside = dataclasses.replace(outside, mx_port=port)
    first = send(outside, route=MxRoute("down.test"))
    assert first.is_hop_down
    with SmtpPeer(port=port) as peer:
        assert send(outside, route=MxRoute("down.test")).is_hop_down
        assert peer.connections == 0
        outside.unreachable.forget()
        assert not send(outside, route=MxRoute("down.test")).is_hop_down


def test_a_peer_with_our_own_name_is_a_loop(outside: Outside, peer: SmtpPeer) -> None:
    peer.reply("CONNECT", "220 US.test ESMTP")
    assert summary(send(outside)) == {1: (Result.PERMANENT, "5.4.6")}
    assert peer.messages == []


def test_a_peer_without_ehlo(outside: Outside, peer: SmtpPeer) -> None:
    peer.reply("EHLO", "502 5.5.1 what?")
    assert summary(send(outside)) == {1: (Result.DELIVERED, "2.0.0")}
    assert peer.messages[0].mail_parameters == ()


def test_several_messages_go_over_one_connection(outside: Outside, peer: SmtpPeer) -> None:
    courier = Courier(ROUTE, outside)
    transmission = Transmission("me@us.test", (ANN,), CONTENT)
    for _ in range(3):
        assert courier.send(transmission, lambda: True).outcomes[1].result is Result.DELIVERED
    courier.close()
    assert peer.connections == 1
    assert len(peer.wait_for_messages(3)) == 3


def test_a_connection_that_died_between_messages_is_made_anew(
    outside: Outside, peer: SmtpPeer
) -> None:
    courier = Courier(ROUTE, outside)
    transmission = Transmission("me@us.test", (ANN,), CONTENT)
    courier.send(transmission, lambda: True)
    peer.reply("MAIL", DROP, "250 ok")
    assert courier.send(transmission, lambda: True).outcomes[1].result is Result.DELIVERED
    courier.close()
    assert peer.connections == 2


# extensions


def test_parameters_are_passed_to_a_peer_that_knows_them(outside: Outside, peer: SmtpPeer) -> None:
    ann = dataclasses.replace(ANN, notify="SUCCESS,FAILURE", orcpt="rfc822;a+2Bb@x.test")
    attempt = send(outside, ann, ret="HDRS", envid="QQ+2B1")
    [message] = peer.wait_for_messages(1)
    assert set(message.mail_parameters) == {
        f"SIZE={len(CONTENT)}",
        "BODY=7BIT",
        "RET=HDRS",
        "ENVID=QQ+2B1",
    }
    assert message.recipients[0][1] == ("NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;a+2Bb@x.test")
    assert attempt.outcomes[1].passes_dsn


@pytest.fixture
def bare_peer(dns: DnsServer) -> Iterator[SmtpPeer]:
    with SmtpPeer(extensions=()) as peer:
        dns.add("example.test", "MX", "10 mx.example.test.")
        dns.add("mx.example.test", "A", peer.host)
        yield peer


def test_no_parameter_goes_to_a_peer_that_offers_nothing(
    dns: DnsServer, bare_peer: SmtpPeer
) -> None:
    ann = dataclasses.replace(ANN, notify="SUCCESS")
    attempt = send(make_outside(dns, bare_peer.port), ann, ret="FULL")
    assert bare_peer.messages[0].mail_parameters == ()
    assert bare_peer.messages[0].recipients[0][1] == ()
    assert not attempt.outcomes[1].passes_dsn


def test_what_a_bare_peer_cannot_be_given(dns: DnsServer, bare_peer: SmtpPeer) -> None:
    outside = make_outside(dns, bare_peer.port)
    utf8 = Addressee(9, "jürgen@example.test")
    assert summary(send(outside, ANN, utf8)) == {
        1: (Result.DELIVERED, "2.0.0"),
        9: (Result.PERMANENT, "5.6.7"),
    }
    assert summary(send(outside, has_utf8_header=True)) == {1: (Result.PERMANENT, "5.6.7")}
    assert summary(send(outside, reverse_path="mé@us.test")) == {1: (Result.PERMANENT, "5.6.7")}
    eight_bit = "Subject: x\r\n\r\né\r\n".encode()
    assert summary(send(outside, content=eight_bit)) == {1: (Result.PERMANENT, "5.6.3")}
    assert len(bare_peer.messages) == 1


def test_utf8_addresses_are_sent_where_they_are_taken(outside: Outside, peer: SmtpPeer) -> None:
    send(outside, Addressee(9, "jürgen@example.test"))
    [message] = peer.wait_for_messages(1)
    assert message.forward_paths == ["jürgen@example.test"]
    assert "SMTPUTF8" in message.mail_parameters


def test_a_message_over_the_peers_size_is_not_offered(dns: DnsServer) -> None:
    with SmtpPeer(extensions=("SIZE 20",)) as peer:
        dns.add("example.test", "A", peer.host)
        attempt = send(make_outside(dns, peer.port))
        assert summary(attempt) == {1: (Result.PERMANENT, "5.3.4")}


# leases


def test_a_lost_lease_stops_before_data(outside: Outside, peer: SmtpPeer) -> None:
    with pytest.raises(LeaseLost):
        send(outside, holds=lambda: False)
    assert "DATA" not in peer.commands


def test_a_lease_lost_while_sending_withholds_the_final_dot(
    outside: Outside, peer: SmtpPeer
) -> None:
    answers = iter([True, False])
    with pytest.raises(LeaseLost):
        send(outside, holds=lambda: next(answers))
    assert "DATA" in peer.commands
    peer.stop()
    assert peer.messages == []


# TLS


def test_starttls_is_used_where_it_is_offered(dns: DnsServer, certificate: Certificate) -> None:
    with SmtpPeer(certificate=certificate) as peer:
        dns.add("example.test", "A", peer.host)
        attempt = send(make_outside(dns, peer.port))
        assert peer.wait_for_messages(1)[0].is_tls
        assert attempt.tls.version.startswith("TLSv1.")
        assert not attempt.tls.is_verified


@pytest.mark.parametrize("how", ["454 4.7.0 not now", "220 2.0.0 go\n"])
def test_an_mx_whose_tls_fails_gets_the_message_in_the_clear(
    dns: DnsServer, peer: SmtpPeer, how: str
) -> None:
    peer.extensions = (*peer.extensions, "STARTTLS")  # announced, but there is no certificate
    if how.startswith("4"):
        peer.reply("STARTTLS", how)
    attempt = send(make_outside(dns, peer.port))
    assert summary(attempt) == {1: (Result.DELIVERED, "2.0.0")}
    assert not peer.messages[0].is_tls


def relay(peer: SmtpPeer, certificate: Certificate, **changes: object) -> RelayRoute:
    route = RelayRoute(
        "mx.example.test",
        peer.port,
        TlsPolicy.STARTTLS,
        "user",
        "secret",
        str(certificate.ca_file),
    )
    return dataclasses.replace(route, **changes)


@pytest.mark.parametrize("mechanisms", ["PLAIN LOGIN", "LOGIN"])
def test_a_relay_gets_the_password_under_verified_tls(
    dns: DnsServer, certificate: Certificate, mechanisms: str
) -> None:
    extensions = (*EXTENSIONS, f"AUTH {mechanisms}")
    with SmtpPeer(certificate=certificate, extensions=extensions) as peer:
        peer.users, peer.is_auth_announced = {"user": "secret"}, False
        dns.add("mx.example.test", "A", peer.host)
        attempt = send(make_outside(dns, 1), route=relay(peer, certificate))
        assert summary(attempt) == {1: (Result.DELIVERED, "2.0.0")}
        message = peer.messages[0]
        assert (message.login, message.is_tls) == ("user", True)
        assert attempt.tls.is_verified


def test_a_relay_with_tls_from_the_start(dns: DnsServer, certificate: Certificate) -> None:
    with SmtpPeer(certificate=certificate, is_implicit_tls=True, users={"user": "secret"}) as peer:
        dns.add("mx.example.test", "A", peer.host)
        route = relay(peer, certificate, policy=TlsPolicy.IMPLICIT)
        assert summary(send(make_outside(dns, 1), route=route)) == {1: (Result.DELIVERED, "2.0.0")}


def test_a_wrong_password_is_temporary_and_nothing_is_sent(
    dns: DnsServer, certificate: Certificate
) -> None:
    with SmtpPeer(certificate=certificate, users={"user": "other"}) as peer:
        dns.add("mx.example.test", "A", peer.host)
        attempt = send(make_outside(dns, 1), route=relay(peer, certificate))
        assert summary(attempt) == {1: (Result.TEMPORARY, "4.7.8")}
        assert not any(command.startswith("MAIL") for command in peer.commands)


@pytest.mark.parametrize("trouble", ["no tls", "unknown authority", "wrong name", "expired"])
def test_a_relay_that_cannot_prove_itself_gets_neither_password_nor_message(
    dns: DnsServer, certificate: Certificate, tmp_path: Path, trouble: str
) -> None:
    shown: Certificate | None = certificate
    trusted = certificate
    if trouble == "no tls":
        shown = None
    elif trouble == "unknown authority":
        shown = make_certificate(tmp_path, "mx.example.test")
    elif trouble == "wrong name":
        shown = trusted = make_certificate(tmp_path, "other.example.test")
    else:
        shown = trusted = make_certificate(tmp_path, "mx.example.test", days=-1)
    with SmtpPeer(certificate=shown, users={"user": "secret"}) as peer:
        dns.add("mx.example.test", "A", peer.host)
        attempt = send(make_outside(dns, 1), route=relay(peer, trusted))
        assert attempt.outcomes[1].result is Result.TEMPORARY
        assert not any(command.startswith(("AUTH", "MAIL")) for command in peer.commands)


def test_a_missing_ca_file_is_temporary(dns: DnsServer, certificate: Certificate) -> None:
    with SmtpPeer(certificate=certificate) as peer:
        dns.add("mx.example.test", "A", peer.host)
        route = relay(peer, certificate, ca_file="/nonexistent/ca.pem")
        attempt = send(make_outside(dns, 1), route=route)
        assert attempt.outcomes[1].result is Result.TEMPORARY
        assert "CA file" in attempt.outcomes[1].reply
