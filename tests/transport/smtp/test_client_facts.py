"""What DNS says of a client, asked of a real DNS server; and block lists at RCPT over a socket."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from routing.policies import framework
from routing.policies.dnsbl_zones import Code, DnsblZone, Listing
from routing.policies.framework import ReverseDns
from tests.dns_server import DnsServer
from tests.transport.smtp.test_policing import rcpt, until
from transport.dns.resolver import Resolver, reverse_name
from transport.smtp import client_facts, policing
from transport.smtp.client_facts import BlockLists, find_reverse_dns

CLIENT = "203.0.113.9"


@pytest.fixture
def dns() -> Iterator[DnsServer]:
    with DnsServer() as server:
        yield server


def ask(lists: BlockLists, dns: DnsServer, *zones: DnsblZone) -> tuple[Listing, ...]:
    return async_to_sync(lists.ask)(CLIENT, zones, Resolver([dns.address]).look_up_async)


def reverse(dns: DnsServer, address: str) -> ReverseDns | None:
    return async_to_sync(find_reverse_dns)(address, Resolver([dns.address]).look_up_async)


def test_listings_with_what_the_zone_says(dns: DnsServer) -> None:
    dns.add("9.113.0.203.a.test", "A", "127.0.0.4")
    dns.add_text("9.113.0.203.a.test", "see \x07 https://a.test/203.0.113.9")
    dns.add("9.113.0.203.b.test", "A", "127.0.0.2")
    lists = BlockLists()
    found = ask(
        lists,
        dns,
        DnsblZone("a.test", 1, (Code(4, 7, 10, "exploited"),)),
        DnsblZone("b.test", 2),
        DnsblZone("c.test", 3),
    )
    assert found == (
        Listing("a.test", 10, "exploited", "see ? https://a.test/203.0.113.9"),
        Listing("b.test", 2),
    )
    assert lists.take_news() == ({}, {"a.test": 1, "b.test": 1})
    assert lists.take_news() == ({}, {})


def test_a_zone_that_refuses_us_is_a_problem_and_no_listing(dns: DnsServer) -> None:
    dns.add("9.113.0.203.a.test", "A", "127.255.255.254")
    lists = BlockLists()
    assert ask(lists, dns, DnsblZone("a.test", 10)) == ()
    problems, hits = lists.take_news()
    assert "public resolvers" in problems["a.test"]
    assert hits == {}


def test_a_dead_zone_is_left_alone_after_a_while(
    dns: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_facts, "ZONE_SECONDS", 0.3)
    for number in range(8):
        dns.fail(f"{number}.113.0.203.dead.test", "DROP")
    dns.add("7.113.0.203.live.test", "A", "127.0.0.2")
    lists = BlockLists()
    zones = (DnsblZone("dead.test", 10), DnsblZone("live.test", 1))
    look_up = Resolver([dns.address]).look_up_async

    async def ask_all() -> None:
        for number in range(8):
            found = await lists.ask(f"203.0.113.{number}", zones, look_up)
        assert found == (Listing("live.test", 1),)

    asyncio.run(ask_all())
    asked = [name for name, _ in dns.queries if name.endswith("dead.test")]
    assert len(set(asked)) == client_facts.FAILURES_MAXIMUM
    assert "no answer" in lists.take_news()[0]["dead.test"]


def test_clients_of_private_networks_are_not_asked_about(dns: DnsServer) -> None:
    for address in ("127.0.0.1", "10.1.2.3", "192.168.0.1", "::1", "fd00::1", "::ffff:10.0.0.1"):
        look_up = Resolver([dns.address]).look_up_async
        assert async_to_sync(BlockLists().ask)(address, [DnsblZone("a.test", 9)], look_up) == ()
        assert reverse(dns, address) is None
    assert dns.queries == []


def test_names_that_lead_back(dns: DnsServer) -> None:
    dns.add_pointer(CLIENT, "mail.example")
    dns.add_pointer(CLIENT, "other.example")
    dns.add("mail.example", "A", "203.0.113.1", CLIENT)
    dns.add("other.example", "A", "203.0.113.1")
    found = reverse(dns, CLIENT)
    assert found is not None
    assert set(found.names) == {"mail.example", "other.example"}
    assert found.confirmed == ("mail.example",)


def test_no_name_and_no_answer_are_different(dns: DnsServer) -> None:
    assert reverse(dns, CLIENT) == ReverseDns()
    dns.fail(reverse_name("2001:db8::9"))
    assert reverse(dns, "2001:db8::9") is None


def test_names_of_an_ipv6_client(dns: DnsServer) -> None:
    dns.add_pointer("2001:db8::9", "mail.example")
    dns.add("mail.example", "AAAA", "2001:DB8:0::9")
    assert reverse(dns, "2001:db8::9") == ReverseDns(("mail.example",), ("mail.example",))


@pytest.fixture
def zone(database: Any) -> Iterator[str]:
    """One zone is asked, and the client of the tests counts as one of outside."""
    database.execute("UPDATE routing_dnsblzone SET is_active = false")
    database.execute(
        "INSERT INTO routing_dnsblzone (zone, is_active, points, codes) VALUES ('bl.test', true, 10, '')"
    )
    yield "bl.test"
    database.execute("DELETE FROM routing_dnsblzone WHERE zone = 'bl.test'")
    database.execute("UPDATE routing_dnsblzone SET is_active = true")


def test_a_listed_client_is_refused_at_rcpt_and_counted(
    dialogue, make_user, zones, zone, database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framework, "_LOCAL", ())
    monkeypatch.setattr(policing, "REFRESH_SECONDS", 0.05)
    zones.add("1.0.0.127.bl.test", "A", "127.0.0.2")
    zones.add_text("1.0.0.127.bl.test", "for the test")
    user = make_user()
    until(lambda: rcpt(dialogue, "a@b.example", user.address)[0].startswith("550"))
    [reply] = rcpt(dialogue, "a@b.example", user.address)
    assert reply == "550 5.7.1 listed by bl.test: for the test"

    def hits() -> int:
        row = database.execute("SELECT hits FROM routing_dnsblzone WHERE zone = 'bl.test'")
        return int(row.fetchone()[0])

    until(lambda: hits() >= 2)


def test_a_silent_zone_delays_a_recipient_for_moments(
    dialogue, make_user, zones, zone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framework, "_LOCAL", ())
    monkeypatch.setattr(client_facts, "ZONE_SECONDS", 0.3)
    zones.fail("1.0.0.127.bl.test", "DROP")
    started = time.monotonic()
    assert rcpt(dialogue, "a@b.example", make_user().address)[0].startswith("250")
    assert time.monotonic() - started < 3
