"""address, envelope and the address parts (RFC 5228 §2.7.4, §5.1, §5.4)."""

import pytest

from routing.sieve.host import ScriptEnvelope
from tests.routing.sieve.scripts import errors_of, header, is_true


@pytest.mark.parametrize(
    ("value", "part", "key", "answer"),
    [
        ("a@example.com", "all", "a@EXAMPLE.com", True),
        ("a@example.com", "localpart", "a", True),
        ("a@example.com", "domain", "example.com", True),
        ("Tom <a@example.com>", "all", "a@example.com", True),
        ("Tom <a@example.com>", "all", "Tom", False),
        ('"b@example.com" <a@example.com>', "all", "b@example.com", False),
        ("x@example.com, a@example.com", "all", "a@example.com", True),
        ("friends: x@example.com, a@example.com;", "all", "a@example.com", True),
        ("friends:;", "all", "", False),
        ("a@example.com (Tom)", "all", "a@example.com", True),
        ('"a b"@example.com', "localpart", "a b", True),
        ("<@relay.example:a@example.com>", "all", "a@example.com", True),
        ("a", "localpart", "a", True),
        ("a", "domain", "", True),
        ("=?utf-8?q?a=40example=2Ecom=2C?= <b@example.com>", "all", "b@example.com", True),
        ("=?utf-8?q?a=40example=2Ecom=2C?= <b@example.com>", "all", "a@example.com", False),
        ("üser@exämple.com", "all", "üser@exämple.com", True),
        ("", "all", "", False),
    ],
)
def test_parts_of_an_address(value: str, part: str, key: str, answer: bool) -> None:
    assert is_true(f'address :{part} "from" "{key}"', header(f"From: {value}")) is answer


def test_a_test_of_the_text_before_changes_no_addresses() -> None:
    message = header("From: =?utf-8?q?a=40example=2Ecom=2C?= <b@example.com>")
    test = 'allof (header :contains "from" "a@example.com", address "from" "b@example.com")'
    assert is_true(test, message)
    assert is_true(f'allof ({test}, not address "from" "a@example.com")', message)


@pytest.mark.parametrize("name", ["from", "TO", "Cc", "bcc", "sender", "resent-from", "resent-to"])
def test_fields_that_must_be_known(name: str) -> None:
    assert is_true(f'address "{name}" "a@b.example"', header(f"{name}: a@b.example"))


def test_the_whole_address_is_compared_by_default() -> None:
    assert is_true('address "from" "tom@example.com"')
    assert not is_true('address "from" "tom"')


@pytest.mark.parametrize(
    ("test", "answer"),
    [
        ('"from" "tom@example.com"', True),
        ('"FROM" "TOM@example.com"', True),
        ('"to" "me@example.org"', True),
        ('["from", "to"] "me@example.org"', True),
        (':domain "to" "example.org"', True),
        (':localpart "to" "me"', True),
        (':localpart "from" "me"', False),
        (':contains "from" "tom"', True),
        (':comparator "i;octet" "from" "TOM@example.com"', False),
    ],
)
def test_envelope(test: str, answer: bool) -> None:
    assert is_true(f"envelope {test}", require=("envelope",)) is answer


@pytest.mark.parametrize("part", [":all", ":localpart", ":domain"])
def test_the_null_path_is_empty_whatever_part_is_asked_for(part: str) -> None:
    null = ScriptEnvelope("", "me@example.org")
    assert is_true(f'envelope {part} "from" ""', require=("envelope",), envelope=null)


def test_a_quoted_local_part_of_the_envelope() -> None:
    odd = ScriptEnvelope('"a@b"@example.com', "me@example.org")
    assert is_true('envelope :domain "from" "example.com"', require=("envelope",), envelope=odd)
    assert is_true('envelope :localpart "from" "a@b"', require=("envelope",), envelope=odd)


def test_a_path_without_domain_has_a_local_part() -> None:
    bare = ScriptEnvelope("postmaster", "me@example.org")
    assert is_true('envelope :localpart "from" "postmaster"', require=("envelope",), envelope=bare)
    assert is_true('envelope :all "from" "postmaster"', require=("envelope",), envelope=bare)


def test_an_unknown_part_of_the_envelope_is_an_error() -> None:
    assert [place[:2] for place in errors_of('require "envelope";\nif envelope "rcpt" "a" {}')] == [
        (2, 13)
    ]
