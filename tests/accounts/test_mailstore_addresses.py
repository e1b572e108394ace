"""Address lists, well-formed and as they come."""

import pytest

from accounts.mailstore.header_addresses import (
    ADDRESSES_LIMIT,
    GROUP_END,
    HeaderAddress,
    RawAddress,
    parse_address_list,
    parse_addresses,
)

ADDRESSES = [
    (b"a@example.org", [("", "a", "example.org")]),
    (b" <a@example.org> ", [("", "a", "example.org")]),
    (b"Ann Example <a@example.org>", [("Ann Example", "a", "example.org")]),
    (b"Ann   Example\r\n\t<a@example.org>", [("Ann Example", "a", "example.org")]),
    (b'"Example, Ann" <a@example.org>', [("Example, Ann", "a", "example.org")]),
    (b'"" <a@example.org>', [("", "a", "example.org")]),
    (b'"A \\"B\\" \\\\C" <a@example.org>', [('A "B" \\C', "a", "example.org")]),
    (b"a@x, b@y,c@z", [("", "a", "x"), ("", "b", "y"), ("", "c", "z")]),
    (b",, a@x,,b@y,", [("", "a", "x"), ("", "b", "y")]),
    (b'"john doe"@example.org', [("", "john doe", "example.org")]),
    (b'<"a@b"@example.org>', [("", "a@b", "example.org")]),
    (b'"a,b"@example.org, c@d', [("", "a,b", "example.org"), ("", "c", "d")]),
    (b"a@[192.0.2.1]", [("", "a", "[192.0.2.1]")]),
    (b"<a@[IPv6:2001:db8::1]>", [("", "a", "[IPv6:2001:db8::1]")]),
    # Comments, and the name that stands in one.
    (b"a@example.org (Ann Example)", [("Ann Example", "a", "example.org")]),
    (
        b"Pete(A nice (nested) \\) chap) <pete(his)@silly.test(his host)>",
        [("Pete", "pete", "silly.test")],
    ),
    (b"a (x) @ (y) example.org", [("x", "a", "example.org")]),
    # Obsolete syntax (RFC 5322 section 4.4).
    (b"jdoe @ example . org", [("", "jdoe", "example.org")]),
    (b"john . doe@example.org", [("", "john.doe", "example.org")]),
    (b"Joe Q. Public <j@example.org>", [("Joe Q. Public", "j", "example.org")]),
    (b"<@a.example,@b.example:fran@example.com>", [("", "fran", "example.com")]),
    # RFC 7103 section 7.1.
    (b"<@example.net:fran@example.com>", [("", "fran", "example.com")]),
    (b"<<<user2@example.org>>>", [("", "user2", "example.org")]),
    (b"<another@example.net", [("", "another", "example.net")]),
    (b"second@example.org>", [("", "second", "example.org")]),
    (b"(Testing <fran@example.com>", [("Testing", "fran", "example.com")]),
    (b"Testing) <sam@example.com>", [("Testing)", "sam", "example.com")]),
    (
        b"<third@example.net, fourth@example.net>",
        [("", "third", "example.net"), ("", "fourth", "example.net")],
    ),
    (b'"Joe <joe@example.com>', [("Joe", "joe", "example.com")]),
    (b"Joe", [("", "Joe", "")]),
    (b"Joe Bloggs", [("Joe Bloggs", "", "")]),
    (b"Joe Bloggs joe@example.org", [("Joe Bloggs", "joe", "example.org")]),
    (b"<Joe>", [("", "Joe", "")]),
    # Eight bits and encoded words stay as they are.
    ("Jürgen <jürgen@exämple.org>".encode(), [("Jürgen", "jürgen", "exämple.org")]),
    (b"J\xfcrgen <j@example.org>", [("J\udcfcrgen", "j", "example.org")]),
    (b"=?utf-8?q?J=C3=BC?= <j@example.org>", [("=?utf-8?q?J=C3=BC?=", "j", "example.org")]),
    (b"a@b\0c", [("", "a", "bc")]),
    # Groups.
    (b"undisclosed-recipients:;", []),
    (b"A Group:Ed <e@x>,f@y;, g@z", [("Ed", "e", "x"), ("", "f", "y"), ("", "g", "z")]),
    (b"", []),
    (b"<>", []),
    (b"()", []),
    (b'"', []),
    (b"Ann <>", [("Ann", "", "")]),
]


@pytest.mark.parametrize(("value", "expected"), ADDRESSES)
def test_reads_addresses(value: bytes, expected: list[tuple[str, str, str]]) -> None:
    assert parse_addresses(value) == tuple(HeaderAddress(*address) for address in expected)


def test_marks_the_start_and_end_of_groups() -> None:
    assert parse_address_list(b"one@x, Team: two@y (Two), ; three@z") == [
        RawAddress(b"", b"one", b"x"),
        RawAddress(b"", b"Team", None),
        RawAddress(b"Two", b"two", b"y"),
        GROUP_END,
        RawAddress(b"", b"three", b"z"),
    ]


def test_ends_a_group_that_is_left_open() -> None:
    assert parse_address_list(b"Team: two@y")[-1] == GROUP_END


@pytest.mark.parametrize("one", [b"a@b, ", b"A (c) <a@b>, ", b"a:;"])
def test_takes_only_so_many(one: bytes) -> None:
    assert len(parse_address_list(one * (ADDRESSES_LIMIT + 10))) <= ADDRESSES_LIMIT + 1
