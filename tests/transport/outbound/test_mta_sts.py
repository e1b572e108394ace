"""Reading MTA-STS records and policies: RFC 8461's examples, and what is none."""

import pytest

from transport.outbound.mta_sts import (
    MAX_AGE_MAXIMUM,
    Mode,
    PolicyError,
    StsPolicy,
    parse_policy,
    parse_records,
)


@pytest.mark.parametrize(
    ("texts", "id_"),
    [
        ((b"v=STSv1; id=20160831085700Z;",), "20160831085700Z"),
        ((b"v=STSv1;id=1",), "1"),
        ((b"v=STSv1 ; x=y ; id=1 ; ",), "1"),
        ((b"v=spf1 -all", b"v=STSv1; id=1"), "1"),
        ((b"v=STSv1; id=1", b"v=STSv1; id=2"), ""),
        ((b"v=STSv1; id=" + b"1" * 33,), ""),
        ((b"v=STSv1; id=a-b",), ""),
        ((b"v=STSv1",), ""),
        ((b"v=STSv1;",), ""),
        ((b"v=stsv1; id=1",), ""),
        ((b"v=STSv1; id=1; \xff\x00",), ""),
        ((), ""),
    ],
)
def test_one_valid_record_names_an_id(texts: tuple[bytes, ...], id_: str) -> None:
    assert parse_records(texts) == id_


def test_the_example_of_the_rfc_is_a_policy() -> None:
    text = (
        b"version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\n"
        b"mx: backupmx.example.com\nmax_age: 604800\n"
    )
    policy = StsPolicy(
        Mode.ENFORCE, ("mail.example.com", "*.example.net", "backupmx.example.com"), 604800
    )
    assert parse_policy(text) == policy
    assert parse_policy(text.replace(b"\n", b"\r\n")) == policy


def test_of_a_field_that_stands_twice_the_first_counts_and_unknown_ones_are_passed_over() -> None:
    text = "version:STSv1\nmode: testing\nmode: none\nx.y: ü\nmx: A.Test.\nmax_age:9999999999"
    assert parse_policy(text.encode()) == StsPolicy(Mode.TESTING, ("a.test",), MAX_AGE_MAXIMUM)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>not here</html>",
        b"version: STSv2\nmode: none\nmax_age: 1",
        b"version: STSv1\nmode: strict\nmx: a.test\nmax_age: 1",
        b"version: STSv1\nmode: enforce\nmax_age: 1",
        b"version: STSv1\nmode: enforce\nmx: a.test",
        b"version: STSv1\nmode: enforce\nmx: a.test\nmax_age: -1",
        b"version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 99999999999",
        b"version: STSv1\nmode: enforce\nmx: a.*.test\nmax_age: 1",
        b"version: STSv1\nmode: enforce\nmx: *\nmax_age: 1",
        b"version: STSv1\nmode: enforce\nmx: a.test\x00\nmax_age: 1",
        b"version: STSv1\nmode: enforce\nmx: \xff\nmax_age: 1",
    ],
)
def test_what_is_no_policy_is_refused(text: bytes) -> None:
    with pytest.raises(PolicyError):
        parse_policy(text)


@pytest.mark.parametrize(
    ("host", "is_permitted"),
    [
        ("mx.test", True),
        ("MX.test.", True),
        ("a.wild.test", True),
        ("a.b.wild.test", False),
        ("wild.test", False),
        ("other.test", False),
        ("", False),
    ],
)
def test_a_star_stands_for_one_label(host: str, is_permitted: bool) -> None:
    policy = StsPolicy(Mode.ENFORCE, ("mx.test", "*.wild.test"))
    assert policy.permits(host) is is_permitted
