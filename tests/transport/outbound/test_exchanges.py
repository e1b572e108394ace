"""Which hosts are tried, in which order."""

import random

import pytest

from tests.dns_server import DnsServer
from transport.dns.resolver import Resolver
from transport.outbound.exchanges import Exchange, addresses_of, find_exchanges
from transport.queue.outcomes import Outcome, Result


def hosts(dns: DnsServer, domain: str, seed: int = 1) -> list[str] | Outcome:
    found = find_exchanges(Resolver([dns.address]), domain, "US.test", random.Random(seed))
    return found if isinstance(found, Outcome) else [exchange.host for exchange in found]


def test_preference_decides_and_equals_are_shuffled(dns: DnsServer) -> None:
    dns.add("d.test", "MX", "20 c.test.", "10 a.test.", "10 b.test.")
    orders = {tuple(hosts(dns, "d.test", seed)) for seed in range(20)}
    assert orders == {("a.test", "b.test", "c.test"), ("b.test", "a.test", "c.test")}


def test_without_mx_the_domain_itself_is_tried(dns: DnsServer) -> None:
    dns.add("d.test", "A", "192.0.2.1")
    assert hosts(dns, "d.test") == ["d.test"]


@pytest.mark.parametrize(
    ("records", "result", "status"),
    [
        (["0 ."], Result.PERMANENT, "5.1.10"),
        (["10 us.test."], Result.PERMANENT, "5.4.6"),
        (["10 us.test.", "20 worse.test.", "10 same.test."], Result.PERMANENT, "5.4.6"),
    ],
)
def test_domains_that_cannot_be_reached(
    dns: DnsServer, records: list[str], result: Result, status: str
) -> None:
    dns.add("d.test", "MX", *records)
    outcome = hosts(dns, "d.test")
    assert isinstance(outcome, Outcome)
    assert (outcome.result, outcome.status) == (result, status)


def test_a_domain_that_does_not_exist_is_permanent(dns: DnsServer) -> None:
    outcome = hosts(dns, "nothing.test")
    assert isinstance(outcome, Outcome)
    assert (outcome.result, outcome.status) == (Result.PERMANENT, "5.1.2")


def test_a_broken_zone_is_temporary(dns: DnsServer) -> None:
    dns.fail("d.test")
    outcome = hosts(dns, "d.test")
    assert isinstance(outcome, Outcome)
    assert (outcome.result, outcome.status) == (Result.TEMPORARY, "4.4.3")


def test_only_hosts_better_than_ourselves_are_tried(dns: DnsServer) -> None:
    dns.add("d.test", "MX", "10 better.test.", "20 us.test.", "30 worse.test.")
    assert hosts(dns, "d.test") == ["better.test"]


def test_an_address_literal_needs_no_dns(dns: DnsServer) -> None:
    resolver = Resolver([dns.address])
    found = find_exchanges(resolver, "[IPv6:2001:db8::1]", "us.test", random.Random())
    assert found == (Exchange("[IPv6:2001:db8::1]", "2001:db8::1"),)
    assert isinstance(hosts(dns, "[300.1.2.3]"), Outcome)
    assert dns.queries == []


def test_ipv4_comes_before_ipv6(dns: DnsServer) -> None:
    dns.add("mx.test", "AAAA", "2001:db8::1")
    dns.add("mx.test", "A", "192.0.2.1")
    addresses = list(addresses_of(Resolver([dns.address]), Exchange("mx.test")))
    assert addresses == ["192.0.2.1", "2001:db8::1"]


def test_a_host_without_address_is_temporary(dns: DnsServer) -> None:
    [outcome] = addresses_of(Resolver([dns.address]), Exchange("nowhere.test"))
    assert isinstance(outcome, Outcome)
    assert outcome.status == "4.4.4"


def test_localhost_is_no_question_for_dns(dns: DnsServer) -> None:
    addresses = list(addresses_of(Resolver([dns.address]), Exchange("localhost")))
    assert addresses == ["127.0.0.1", "::1"]
    assert dns.queries == []
