"""Block lists: names, answers, and what a policy makes of listings."""

import pytest

from routing.policies.dnsbl import judge
from routing.policies.dnsbl_zones import (
    Code,
    DnsblZone,
    Listing,
    ZoneError,
    parse_codes,
    question,
    read_answer,
)
from tests.routing.policies.facts import facts

CODED = DnsblZone("bl.test", 4, (Code(2, 3, 10, "spam"), Code(10, 11, 2.5, "home")))


@pytest.mark.parametrize(
    ("client", "name"),
    [
        ("192.0.2.99", "99.2.0.192.bl.test"),
        ("::ffff:192.0.2.99", "99.2.0.192.bl.test"),
        (
            "2001:db8:1:2:3:4:567:89ab",
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.bl.test",
        ),
    ],
)
def test_the_name_that_is_asked(client: str, name: str) -> None:
    """The IPv6 example is that of RFC 5782 §2.4."""
    assert question(client, "bl.test") == name


@pytest.mark.parametrize(
    ("answers", "points"),
    [
        ([], None),
        (["127.0.0.2"], 10),
        (["127.0.0.3", "127.0.0.11"], 10),
        (["127.0.0.10"], 2.5),
        (["127.0.0.99"], None),
        (["127.1.0.2"], None),
    ],
)
def test_codes_say_what_an_answer_is_worth(answers: list[str], points: float | None) -> None:
    found = read_answer(CODED, answers)
    assert (found and found.points) == points


def test_without_codes_every_answer_is_a_listing() -> None:
    assert read_answer(DnsblZone("bl.test", 4), ["127.0.0.99"]) == Listing("bl.test", 4)


@pytest.mark.parametrize(
    "answer", ["127.255.255.252", "127.255.255.254", "127.255.255.255", "127.0.0.1", "203.0.113.7"]
)
def test_errors_are_never_listings(answer: str) -> None:
    with pytest.raises(ZoneError):
        read_answer(DnsblZone("bl.test", 4), [answer])


def test_codes_as_the_administrator_writes_them() -> None:
    text = "127.0.0.2-3 10 spam\r\n\n 127.0.0.10-11   2.5 home\n127.0.0.20 -1\n"
    assert parse_codes(text) == (*CODED.codes, Code(20, 20, -1.0))


@pytest.mark.parametrize(
    "line", ["127.0.0.2", "127.0.0.9-2 1", "127.0.1.2 1", "2 1", "127.0.0.999 1"]
)
def test_a_wrong_code_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="not of the form") as caught:
        parse_codes(f"127.0.0.2 1\n{line}")
    assert line in str(caught.value)


def test_heavy_listings_refuse_and_light_ones_count() -> None:
    light = Listing("b-l.test", 3, "home", "see http://b-l.test/")
    refused = judge(facts(listings=(light, Listing("x.test", 5.5, text="spam was seen"))))
    assert refused.reply == "550 5.7.1 listed by x.test: spam was seen"
    [term] = judge(facts(listings=(light,))).terms
    assert (term.name, term.points, term.note) == ("DNSBL_B_L_TEST", 3, "home")
    assert judge(facts()).reply == ""
