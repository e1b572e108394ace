"""What is the same address, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.addresses import (
    LOCAL_PART_MAXIMUM,
    Address,
    AddressSyntaxError,
    canonical_domain,
    canonical_local_part,
    check_local_part,
    parse_address,
    split_subaddress,
)


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("Ann", "ann"),
        ("ANN.LEE", "ann.lee"),
        ("Straße", "strasse"),
        ("ΣΊΣΥΦΟΣ", "σίσυφοσ"),
        ("Jose\u0301", "josé"),
        ("\u212bngström", "ångström"),
        ("用户", "用户"),
    ],
)
def test_local_parts_compare_folded_and_composed(typed: str, canonical: str) -> None:
    assert canonical_local_part(typed) == canonical


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("Example.ORG", "example.org"),
        ("example.org.", "example.org"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("xn--BCHER-kva.example", "xn--bcher-kva.example"),
        ("localhost", "localhost"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
    ],
)
def test_domains_compare_as_lower_case_a_labels(typed: str, canonical: str) -> None:
    assert canonical_domain(typed) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a..b",
        "-a.example",
        "a-.example",
        "exa mple",
        "a" * 64 + ".example",
        "a." * 128 + "b",
        "a@b",
    ],
)
def test_what_is_no_domain(text: str) -> None:
    with pytest.raises(AddressSyntaxError):
        canonical_domain(text)


@pytest.mark.parametrize(
    "text",
    [
        "ann",
        "@example.org",
        "ann@",
        ".ann@example.org",
        "a..b@example.org",
        '"a b"@example.org',
        "a b@example.org",
        "ann@exa mple",
        "é" * 33 + "@example.org",
        "a\0b@example.org",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(AddressSyntaxError):
        parse_address(text)


@pytest.mark.parametrize(
    ("local_part", "name", "tag"),
    [
        ("ann", "ann", ""),
        ("ann+shop", "ann", "shop"),
        ("ann+shop+more", "ann", "shop+more"),
        ("ann+", "ann", ""),
        ("+ann", "+ann", ""),
    ],
)
def test_the_first_plus_begins_the_tag(local_part: str, name: str, tag: str) -> None:
    assert split_subaddress(local_part) == (name, tag)


def test_the_tag_and_the_case_stay_as_written_and_compare_folded() -> None:
    written, other = parse_address("Ann+Shop@Example.org"), parse_address("ann+shop@EXAMPLE.ORG")
    assert str(written) == "Ann+Shop@example.org"
    assert written.key == other.key


@given(st.text(max_size=80))
def test_canonical_forms_stay_what_they_are(text: str) -> None:
    once = canonical_local_part(text)
    assert canonical_local_part(once) == once


@given(st.text(max_size=300))
def test_parsing_raises_nothing_but_its_own_error(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressSyntaxError:
        return
    assert len(address.local_part.encode()) <= LOCAL_PART_MAXIMUM
    assert parse_address(str(address)) == address


@given(st.text(max_size=100))
def test_a_domain_is_canonical_once_and_for_all(text: str) -> None:
    try:
        name = canonical_domain(text)
    except AddressSyntaxError:
        return
    assert name.isascii()
    assert canonical_domain(name) == name


@given(st.from_regex(r"[a-zA-Z0-9]{1,20}(\.[a-zA-Z0-9]{1,20}){0,2}", fullmatch=True))
def test_a_dot_string_is_a_local_part_in_any_case(text: str) -> None:
    assert check_local_part(text) == text
    assert Address(text.upper(), "x").key == Address(text.lower(), "x").key
