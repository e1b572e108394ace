"""The resolver against a real DNS server."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.dns_server import DnsServer
from transport.dns.resolver import Resolver, Status, reverse_name

RECORDS = {
    "example.test": {
        "MX": ["20 b.example.test.", "10 A.example.test."],
        "TXT": ['"v=spf1 " "-all"'],
    },
    "a.example.test": {"A": ["192.0.2.1", "192.0.2.2"], "AAAA": ["2001:db8::1"]},
    "alias.test": {"CNAME": ["a.example.test."]},
    "null.test": {"MX": ["0 ."]},
    "deep.empty.test": {"A": ["192.0.2.3"]},
}


@pytest.fixture
def server() -> Iterator[DnsServer]:
    with DnsServer(RECORDS) as server:
        yield server


@pytest.fixture
def resolver(server: DnsServer) -> Resolver:
    return Resolver([server.address])


def test_finds_each_kind_of_record(resolver: Resolver, server: DnsServer) -> None:
    server.add_pointer("192.0.2.1", "a.example.test")
    assert sorted(resolver.look_up("example.test", "MX").exchanges) == [
        (10, "a.example.test"),
        (20, "b.example.test"),
    ]
    assert resolver.look_up("Example.TEST.", "TXT").texts == (b"v=spf1 -all",)
    assert sorted(resolver.look_up("alias.test", "A").addresses) == ["192.0.2.1", "192.0.2.2"]
    assert resolver.look_up("a.example.test", "AAAA").addresses == ("2001:db8::1",)
    assert resolver.look_up(reverse_name("::ffff:192.0.2.1"), "PTR").hosts == ("a.example.test",)
    assert resolver.look_up("null.test", "MX").exchanges == ((0, ""),)


def test_tells_no_name_from_no_data_from_failure(resolver: Resolver, server: DnsServer) -> None:
    server.fail("broken.test")
    assert resolver.look_up("nothing.test", "A").status is Status.NO_NAME
    assert resolver.look_up("example.test", "AAAA").status is Status.NO_DATA
    assert resolver.look_up("empty.test", "A").status is Status.NO_DATA
    assert resolver.look_up("broken.test", "A").status is Status.FAILED


@pytest.mark.parametrize(
    "name", ["", "a..b", "x" * 64 + ".test", ".".join(["abcdefgh"] * 40), "\\300"]
)
def test_a_name_that_is_none_is_no_exception(resolver: Resolver, name: str) -> None:
    assert resolver.look_up(name, "A").status is not Status.FOUND


def test_a_silent_server_costs_no_more_than_the_limit(server: DnsServer) -> None:
    server.fail("silent.test", "DROP")
    resolver = Resolver([server.address], look_up_seconds=0.3, server_seconds=0.1)
    assert resolver.look_up("silent.test", "A").status is Status.FAILED


def test_a_large_answer_comes_over_tcp(resolver: Resolver, server: DnsServer) -> None:
    server.add_text("large.test", "x" * 4000)
    assert resolver.look_up("large.test", "TXT").texts == (b"x" * 4000,)


def test_an_answer_is_kept_for_its_ttl_and_no_longer(server: DnsServer) -> None:
    now = [0.0]
    resolver = Resolver([server.address], clock=lambda: now[0])
    for _ in range(3):
        resolver.look_up("example.test", "MX")
        resolver.look_up("nothing.test", "MX")
    assert server.queries.count(("example.test", "MX")) == 1
    assert server.queries.count(("nothing.test", "MX")) == 1
    now[0] = server.ttl + 1
    resolver.look_up("example.test", "MX")
    resolver.look_up("nothing.test", "MX")
    assert server.queries.count(("example.test", "MX")) == 2
    assert server.queries.count(("nothing.test", "MX")) == 2


def test_async_look_ups_share_the_cache(resolver: Resolver, server: DnsServer) -> None:
    async def ask() -> list[Status]:
        answers = await asyncio.gather(
            resolver.look_up_async("example.test", "TXT"),
            resolver.look_up_async("nothing.test", "A"),
            resolver.look_up_async("example.test", "AAAA"),
        )
        return [answer.status for answer in answers]

    assert asyncio.run(ask()) == [Status.FOUND, Status.NO_NAME, Status.NO_DATA]
    assert resolver.look_up("example.test", "TXT").texts == (b"v=spf1 -all",)
    assert server.queries.count(("example.test", "TXT")) == 1


def test_the_ad_bit_comes_through(resolver: Resolver, server: DnsServer) -> None:
    assert not resolver.look_up("example.test", "MX").is_authenticated
    server.is_validating = True
    resolver.forget()
    assert resolver.look_up("example.test", "MX").is_authenticated
