"""What a login may write as its sender: pure tables."""

import pytest

from accounts.addresses import parse_address
from accounts.entries import OwnedAddresses
from accounts.mailstore.headers import HeaderAddress
from routing.senders import AuthorFields, Forgery, check_authors, may_send_as

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
    assert check_authors(OWNED, AuthorFields(from_fields, sender_fields)) is forgery


@pytest.mark.parametrize(
    ("from_fields", "guarded", "forgery"),
    [
        ([[FOREIGN]], [], None),
        ([[FOREIGN, OWN]], [], None),
        ([[FOREIGN]], ["here.example"], Forgery.FOREIGN_FROM),
        ([[OWN]], ["here.example"], None),
        ([[author("bob@HERE.example.")]], ["here.example"], Forgery.FOREIGN_FROM),
        ([[OWN, FOREIGN]], ["here.example"], Forgery.FOREIGN_FROM),
        ([[FOREIGN], [FOREIGN]], [], Forgery.SEVERAL_FROM),
        ([[HeaderAddress("", "root", "")]], [], Forgery.FOREIGN_FROM),
        ([[]], [], Forgery.NO_FROM),
    ],
)
def test_an_app_of_a_domain_that_does_not_check_names_anybody_but_who_is_guarded(
    from_fields, guarded: list[str], forgery: Forgery | None
) -> None:
    unchecked = OwnedAddresses(OWNED.keys, True)
    assert check_authors(unchecked, AuthorFields(from_fields), guarded) is forgery


def test_who_resends_is_the_login_too() -> None:
    for resent in ([[FOREIGN]], [[OWN], [FOREIGN]], [[OWN, FOREIGN]]):
        assert check_authors(OWNED, AuthorFields([[OWN]], (), resent)) is Forgery.FOREIGN_RESENT
    assert check_authors(OWNED, AuthorFields([[OWN]], (), [[OWN], [OWN]])) is None
    assert AuthorFields([[OWN]], [[author("a@B.example.")]], [[author("x@-")]]).domains == {
        "here.example",
        "b.example",
    }
