"""What a login may write as its sender: pure tables."""

import pytest

from accounts.addresses import parse_address
from accounts.entries import OwnedAddresses
from accounts.mailstore.headers import HeaderAddress
from routing.senders import Forgery, check_authors, may_send_as

OWNED = OwnedAddresses(frozenset({("ann", "here.example"), ("info", "other.example")}), False)


def author(address: str) -> HeaderAddress:
    local_part, _, domain = address.rpartition("@")
    return HeaderAddress("", local_part, domain)


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("ann@here.example", True),
        ("Ann@HERE.example", True),
        ("ann+tag@here.example", True),
        ("info@other.example", True),
        ("info@here.example", False),
        ("bob@here.example", False),
        ("anna@here.example", False),
    ],
)
def test_reverse_paths(address: str, may: bool) -> None:
    assert may_send_as(OWNED, parse_address(address)) is may


def test_the_null_reverse_path_is_everyones() -> None:
    assert may_send_as(OWNED, None)


OWN, FOREIGN = author("ann@here.example"), author("bob@here.example")


@pytest.mark.parametrize(
    ("from_fields", "sender_fields", "forgery"),
    [
        ([[OWN]], [], None),
        ([[OWN, author("info@other.example")]], [[OWN]], None),
        ([[OWN]], [[FOREIGN]], Forgery.FOREIGN_SENDER),
        ([[FOREIGN]], [], Forgery.FOREIGN_FROM),
        ([[OWN, FOREIGN]], [[OWN]], Forgery.FOREIGN_FROM),
        ([[OWN], [OWN]], [], Forgery.SEVERAL_FROM),
        ([[OWN]], [[OWN], [OWN]], Forgery.SEVERAL_SENDER),
        ([], [], Forgery.NO_FROM),
        ([[]], [], Forgery.NO_FROM),
        ([[HeaderAddress("", "ann", "")]], [], Forgery.FOREIGN_FROM),
    ],
)
def test_authors(from_fields, sender_fields, forgery: Forgery | None) -> None:
    assert check_authors(OWNED, from_fields, sender_fields) is forgery


def test_an_app_of_a_domain_that_does_not_check_writes_what_it_likes() -> None:
    unchecked = OwnedAddresses(OWNED.keys, True)
    assert check_authors(unchecked, [[FOREIGN], [FOREIGN]], [[FOREIGN]]) is None
