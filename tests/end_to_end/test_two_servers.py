"""Two complete servers, each with a zone of its own: a group is written to, its members read, one answers."""

import email
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.dns_server import DnsServer
from tests.end_to_end.mail import content_of, field_names, make_message, own_prefix, wait_for
from tests.end_to_end.servers import Server, free_ports

ONE, TWO = "127.0.0.2", "127.0.0.3"


@dataclass(frozen=True, slots=True)
class Pair:
    one: Server
    two: Server
    dns: DnsServer


def zone(domain: str, address: str) -> dict[str, dict[str, list[str]]]:
    """A domain whose mail goes to mx.DOMAIN; connections between loopback addresses come from 127.0.0.1."""
    return {
        domain: {"MX": [f"10 mx.{domain}."], "TXT": [f'"v=spf1 ip4:127.0.0.1 ip4:{address} -all"']},
        f"mx.{domain}": {"A": [address]},
    }


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with ExitStack() as stack:
        dns = stack.enter_context(DnsServer(zone("one.test", ONE) | zone("two.test", TWO)))
        port = free_ports([ONE, TWO], 1)[0]
        one, two = (
            stack.enter_context(
                Server.start(address, f"mx.{domain}", dns=dns.address, smtp_port=port, outbound_port=port)
            )
            for address, domain in ((ONE, "one.test"), (TWO, "two.test"))
        )  # fmt: skip
        one.add_domain("one.test")
        one.add_users("ann@one.test")
        two.add_domain("two.test")
        two.add_users("bob@two.test", "cleo@two.test")
        two.manage("add_group", "team@two.test", "bob@two.test", "cleo@two.test")
        yield Pair(one, two, dns)


def test_a_group_of_the_other_server_is_written_to_and_one_member_answers(pair: Pair) -> None:
    sent = make_message("ann@one.test", "team@two.test", "Lunch on Friday")
    with pair.one.submission("ann@one.test") as client:
        assert client.sendmail("ann@one.test", ["team@two.test"], sent) == {}

    received: dict[str, bytes] = {}
    for member in ("bob@two.test", "cleo@two.test"):
        with pair.two.imap(member) as client:
            (uid,) = wait_for(client, 1)
            received[member] = content_of(client, uid)
    for content in received.values():
        prefix = own_prefix(content, sent)
        names = field_names(prefix)
        assert b"dkim-signature" in names
        assert names[0] == b"return-path"
        message = email.message_from_bytes(content)
        assert message["DKIM-Signature"].replace(" ", "").find("d=one.test;") >= 0
        assert message["Return-Path"] == "<ann@one.test>"

    answer = make_message(
        "bob@two.test", "ann@one.test", "Re: Lunch on Friday",
        "In-Reply-To: <Lunch-on-Friday@one.test>", "References: <Lunch-on-Friday@one.test>",
    )  # fmt: skip
    with pair.two.submission("bob@two.test") as client:
        client.sendmail("bob@two.test", ["ann@one.test"], answer)
    with pair.one.imap("ann@one.test") as client:
        (uid,) = wait_for(client, 1)
        own_prefix(content_of(client, uid), answer)


def test_an_unknown_recipient_of_the_other_server_comes_back_as_a_dsn(pair: Pair) -> None:
    pair.one.add_users("dora@one.test")
    sent = make_message("dora@one.test", "nobody@two.test", "Is anyone there")
    with pair.one.submission("dora@one.test") as client:
        client.sendmail("dora@one.test", ["nobody@two.test"], sent)
    with pair.one.imap("dora@one.test") as client:
        (uid,) = wait_for(client, 1)
        report = email.message_from_bytes(content_of(client, uid))
    assert report.get_content_type() == "multipart/report"
    assert report["Return-Path"] == "<>"
    status = report.get_payload()[1].get_payload()[1]  # the fields of the one recipient
    assert status["Final-Recipient"].replace(" ", "") == "rfc822;nobody@two.test"
    assert status["Status"].startswith("5.1.1")
    assert status["Action"] == "failed"


def test_a_bcc_recipient_stays_secret_over_two_servers(pair: Pair) -> None:
    pair.two.add_users("eve@two.test", "finn@two.test")
    sent = make_message("ann@one.test", "eve@two.test", "A secret", "Bcc: <finn@two.test>")
    with pair.one.submission("ann@one.test") as client:
        client.sendmail("ann@one.test", ["eve@two.test", "finn@two.test"], sent)
    with pair.two.imap("eve@two.test") as client:
        (uid,) = wait_for(client, 1)
        assert b"finn@two.test" not in content_of(client, uid)
    with pair.two.imap("finn@two.test") as client:
        (uid,) = wait_for(client, 1)
        assert b"eve@two.test" in content_of(client, uid)
