"""What a client's names count: reverse DNS and HELO."""

import pytest

from routing.policies import helo, reverse_dns
from routing.policies.framework import ReverseDns
from tests.routing.policies.facts import facts


def terms(decision: object) -> list[str]:
    assert decision.reply == ""  # type: ignore[attr-defined]
    return [term.name for term in decision.terms]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("mail.example.org", []),
        ("MAIL.Example.org.", []),
        ("[192.0.2.7]", []),
        ("[192.0.2.8]", ["HELO_OTHER_ADDRESS"]),
        ("[nonsense]", ["HELO_OTHER_ADDRESS"]),
        ("192.0.2.7", ["HELO_BARE_ADDRESS"]),
        ("MX.here.test", ["HELO_IS_US"]),
        ("localhost", ["HELO_NO_NAME"]),
        ("friend", ["HELO_NO_NAME"]),
        ("-", ["HELO_NO_NAME"]),
    ],
)
def test_helo(name: str, names: list[str]) -> None:
    assert terms(helo.judge(facts(helo=name))) == names


def test_helo_of_ipv6_and_of_a_neighbour() -> None:
    assert terms(helo.judge(facts(client_address="2001:db8::1", helo="[IPv6:2001:DB8::1]"))) == []
    assert terms(helo.judge(facts(client_address="10.0.0.1", helo="mx.here.test"))) == []


@pytest.mark.parametrize(
    ("names", "confirmed", "expected"),
    [
        ((), (), ["RDNS_NONE"]),
        (("mail.example.org",), (), ["RDNS_UNCONFIRMED"]),
        (("mail.example.org",), ("mail.example.org",), []),
        (("7.2.0.192.isp.example",), ("7.2.0.192.isp.example",), ["RDNS_GENERIC"]),
        (("host-192-0-2-7.isp.example",), ("host-192-0-2-7.isp.example",), ["RDNS_GENERIC"]),
        (("192-000-002-007.isp.example",), ("192-000-002-007.isp.example",), ["RDNS_GENERIC"]),
        (("x1.dsl.isp.example",), ("x1.dsl.isp.example",), ["RDNS_GENERIC"]),
        (("mail.dynamic.example",), ("mail.dynamic.example",), []),
        (("a", "x.pool.isp.example", "mx.b.example"), ("x.pool.isp.example", "mx.b.example"), []),
    ],
)
def test_reverse_dns(
    names: tuple[str, ...], confirmed: tuple[str, ...], expected: list[str]
) -> None:
    assert terms(reverse_dns.judge(facts(reverse_dns=ReverseDns(names, confirmed)))) == expected


def test_unknown_names_count_nothing() -> None:
    assert terms(reverse_dns.judge(facts(reverse_dns=None))) == []
