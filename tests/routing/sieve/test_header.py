"""header and exists (RFC 5228 §5.5, §5.7): values decoded, whatever bytes they are."""

import pytest

from tests.routing.sieve.scripts import header, is_true


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("Subject: plain", "plain"),
        ("subject:plain", "plain"),
        ("SUBJECT :   plain \t ", "plain"),
        ("Subject: two\r\n lines", "two lines"),
        ("Subject: two\r\n\t  lines", "two lines"),
        ("Subject:\r\n late", "late"),
        ("Subject: =?utf-8?q?F=C3=BC=C3=9Fe?=", "Füße"),
        ("Subject: =?iso-8859-1?Q?F=FC=DFe?= =?utf-8?b?w7w=?=", "Füßeü"),
        ("Subject: =?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        ("Subject: Füße", "Füße"),
        ("Subject: =?no-such?q?a=FFb?=", None),
        ("Subject: =?utf-8?q?broken", "=?utf-8?q?broken"),
        ("Subject: =?utf-8?b?!!!!?=", None),
    ],
)
def test_values_are_decoded(line: str, value: str | None) -> None:
    message = header(line)
    assert is_true('header :matches "subject" "*"', message)
    if value is not None:
        assert is_true(f'header :is "Subject" "{value}"', message)


def test_eight_bits_of_no_charset_do_not_fail() -> None:
    message = b"Subject: F\xfc\xdfe\r\nX-\xff: a\r\n\r\n"
    assert is_true('header :contains "subject" "F"', message)
    assert not is_true('header :is "subject" "Fe"', message)


def test_any_field_of_the_name_counts() -> None:
    message = header("Received: one", "received: two", "X: three")
    assert is_true('header "received" "two"', message)
    assert not is_true('header "received" "three"', message)


@pytest.mark.parametrize("name", ["", "X:", "X Y", "ü", "subject:", " subject"])
def test_what_is_no_name_of_a_field_names_none(name: str) -> None:
    assert not is_true(f'header :contains "{name}" ""')
    assert not is_true(f'exists "{name}"')


def test_exists_asks_for_all_of_them() -> None:
    assert is_true('exists ["From", "TO"]')
    assert not is_true('exists ["From", "X-None"]')
    assert is_true('exists "x-empty"', header("X-Empty:"))


def test_a_field_of_the_body_is_none() -> None:
    assert not is_true('exists "x-body"', b"A: b\r\n\r\nX-Body: c\r\n")


@pytest.mark.parametrize(
    "message", [b"", b"\r\n", b"no header at all", b"\0\xff\n\n", b":\r\n:\r\n"]
)
def test_a_message_without_header_has_no_fields(message: bytes) -> None:
    assert not is_true('exists "subject"', message)
    assert not is_true('anyof (header :contains "a" "", address :contains "to" "")', message)
    assert is_true("size :under 100", message)
