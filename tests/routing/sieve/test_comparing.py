"""The comparators and match types of RFC 5228 §2.7, by the test header."""

from time import process_time

import pytest

from routing.sieve.base.comparing import ascii_folded
from tests.routing.sieve.scripts import errors_of, header, is_true, result_of


@pytest.mark.parametrize(
    ("test", "value", "answer"),
    [
        (':is "a" "frop"', "frop", True),
        (':is "a" "frop"', "FROP", True),
        (':is "a" "frop"', "frop ", True),
        (':is "a" "frop"', "fro", False),
        (':is "a" ""', "", True),
        (':is "a" ""', "x", False),
        ('"a" "FROP"', "frop", True),
        (':is "a" "übel"', "übel", True),
        (':is "a" "Übel"', "übel", False),
        (':is "a" "üBEL"', "übel", True),
        (':comparator "i;octet" "a" "frop"', "Frop", False),
        (':comparator "i;octet" "a" "Frop"', "Frop", True),
        (':contains "a" ""', "", True),
        (':contains "a" ""', "x", True),
        (':contains "a" "RO"', "frop", True),
        (':contains :comparator "i;octet" "a" "RO"', "frop", False),
        (':contains "a" "rx"', "frop", False),
        (':contains "a" "*"', "frop", False),
        (':matches "a" "*"', "", True),
        (':matches "a" "F*P"', "frop", True),
        (':matches :comparator "i;octet" "a" "F*P"', "frop", False),
        (':matches "a" "f?p"', "frop", False),
        (':matches "a" "f??p"', "frop", True),
        (r':matches "a" "f\\?"', "f?", True),
        (r':matches "a" "f\\?"', "fx", False),
        (':matches "a" "?"', "ü", True),
        (':is ["x", "a"] ["b", "c"]', "c", True),
        (':is ["x", "a"] ["b", "d"]', "c", False),
    ],
)
def test_match_types(test: str, value: str, answer: bool) -> None:
    assert is_true(f"header {test}", header(f"A: {value}")) is answer


def test_what_is_not_there_fits_nothing() -> None:
    for match_type, key in ((":is", ""), (":contains", ""), (":matches", "*")):
        assert not is_true(f'header {match_type} "x-none" "{key}"')


def test_folding_changes_ascii_only_and_no_length() -> None:
    assert ascii_folded("ABC xyz") == "abc xyz"
    assert ascii_folded("ÄBC İ ẞ\udcff") == "Äbc İ ẞ\udcff"


def test_a_test_of_many_keys_and_values_ends() -> None:
    """What it costs is bounded, also where each value is empty: the run ends in an error, and the mail is kept."""
    keys = ",".join('"x"' for _ in range(15_000))
    message = "".join("A:\r\n" for _ in range(900)).encode() + b"\r\n"
    start = process_time()
    result = result_of(f'if header "a" [{keys}] {{ discard; }}', message)
    assert process_time() - start < 3
    assert result.error is not None
    assert result.error.message == "the script compares too much text"
    assert result.keeps_implicitly


def test_a_test_of_many_names_ends() -> None:
    names = ",".join('"a"' for _ in range(15_000))
    message = "".join("A:\r\n" for _ in range(900)).encode() + b"\r\n"
    for test in (f'header [{names}] "x"', f"exists [{names}]"):
        result = result_of(f"if {test} {{ discard; }}", message)
        assert result.error is not None
        assert result.keeps_implicitly


@pytest.mark.parametrize(
    "pattern", ["*a" * 4000 + "b", "*" + "a?" * 2000 + "b*", "?" * 9000 + "*b"]
)
def test_matching_is_not_exponential(pattern: str) -> None:
    script = f'if header :matches "a" "{pattern}" {{ discard; }}' * 3
    start = process_time()
    result_of(script, header("A: " + "a" * 50_000))
    assert process_time() - start < 3


def test_an_unknown_comparator_is_an_error() -> None:
    assert errors_of('if header :comparator "i;frop" "a" "b" {}')


@pytest.mark.parametrize(
    ("value", "key", "answer"), [("a", "B", True), ("b", "A", False), ("_", "a", False), ("a", "_", True)]
)  # fmt: skip
def test_casemap_orders_in_capitals(value: str, key: str, answer: bool) -> None:
    """RFC 4790 §9.2.1: an underscore comes after all letters."""
    test = f'header :value "lt" "a" "{key}"'
    assert is_true(test, header(f"A: {value}"), require=("relational",)) is answer


def test_folding_of_costly_characters_has_a_bound() -> None:
    message = header("Subject: " + "\ufdfa" * 100_000)

    def error_of(count: int) -> str:
        keys = ", ".join(f'"x{number}"' for number in range(count))
        test = f'header :comparator "i;unicode-casemap" :contains "subject" [{keys}]'
        script = f'require "comparator-i;unicode-casemap"; if {test} {{ discard; }}'
        return str(result_of(script, message).error)

    assert error_of(1) == "None"
    assert "compares too much" in error_of(200)
