"""The index of the block and allow lists: what an entry matches, and what is no entry."""

import pytest

from accounts.addresses import parse_address
from routing.policies.framework import client_network
from routing.policies.sender_lists import ListedSender, SenderLists, canonical_entry, kind_of


def lists(*values: str) -> SenderLists:
    return SenderLists(
        ListedSender(number, "block", canonical_entry(value))
        for number, value in enumerate(values, 1)
    )


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("192.0.2.7", "192.0.2.7/32", "network"),
        ("192.0.2.7/24", "192.0.2.0/24", "network"),
        (" 2001:DB8::/32 ", "2001:db8::/32", "network"),
        ("Example.ORG", "example.org", "domain"),
        ("*.example.org", "example.org", "domain"),
        ("@example.org", "example.org", "domain"),
        ("bücher.example", "xn--bcher-kva.example", "domain"),
        ("Joe@Example.org", "joe@example.org", "address"),
    ],
)
def test_an_entry_is_kept_in_one_form(text: str, value: str, kind: str) -> None:
    assert canonical_entry(text) == value
    assert kind_of(value) == kind


@pytest.mark.parametrize(
    "text", ["", "localhost", "192.0.2.300", "a b@example.org", "a@", "http://x.y"]
)
def test_what_is_no_entry_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="neither an IP address"):
        canonical_entry(text)


@pytest.mark.parametrize(
    ("client", "sender", "found"),
    [
        ("192.0.2.7", "a@b.test", {1, 2}),
        ("::ffff:192.0.2.7", "a@b.test", {1, 2}),
        ("192.0.2.8", "a@b.test", {1}),
        ("192.0.3.8", "a@b.test", set()),
        ("2001:db8:5::1", "a@b.test", {3}),
        ("10.0.0.1", "x@example.org", {4}),
        ("10.0.0.1", "x@mail.sub.example.org", {4}),
        ("10.0.0.1", "x@badexample.org", set()),
        ("10.0.0.1", "JOE@other.test", {5}),
        ("10.0.0.1", "jane@other.test", set()),
        ("10.0.0.1", None, set()),
    ],
)
def test_what_matches(client: str, sender: str | None, found: set[int]) -> None:
    known = lists(
        "192.0.2.0/24", "192.0.2.7", "2001:db8::/32", "example.org", "Joe@other.test", "::/128"
    )
    reverse_path = parse_address(sender) if sender else None
    assert {entry.id for entry in known.find(client, reverse_path)} == found


def test_the_narrower_network_comes_first() -> None:
    found = lists("0.0.0.0/0", "192.0.2.0/24", "192.0.2.7").find("192.0.2.7", None)
    assert [entry.value for entry in found] == ["192.0.2.7/32", "192.0.2.0/24", "0.0.0.0/0"]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
    ],
)
def test_a_client_of_ipv6_is_its_64(address: str, network: str) -> None:
    assert client_network(address) == network


def test_a_row_that_is_no_entry_harms_no_other() -> None:
    rows = [ListedSender(1, "block", "not/a network"), ListedSender(2, "block", "192.0.2.0/24")]
    assert [entry.id for entry in SenderLists(rows).find("192.0.2.7", None)] == [2]
