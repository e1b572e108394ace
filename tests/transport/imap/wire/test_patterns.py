"""LIST's patterns."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.mailstore.folder_names import canonical_name
from transport.imap.wire.patterns import (
    WILD_LENGTH_MAXIMUM,
    WILDCARDS_MAXIMUM,
    Patterns,
    TooManyPatterns,
    compile_pattern,
)


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("*", "a/b", True),
        ("%", "a/b", False),
        ("%", "a", True),
        ("a/%", "a/b", True),
        ("a/%", "a/b/c", False),
        ("%/%", "a/b", True),
        ("*b*", "a/b/c", True),
        ("*%*", "a/b/c", True),
        ("a*c", "a/b/c", True),
        ("INB%", "INBOX", True),
        ("inbox", "INBOX", True),
        ("inbox*", "INBOX/below", True),
        ("inbox", "a", False),
        ("a/inbox", "a/INBOX", False),
        ("a.c", "abc", False),
        ("a", "ab", False),
        ("e\u0301", "é", True),
        ("%a%a%a%a%a%a%a%a%a%a%b", "a" * 1000, False),
    ],
)
def test_patterns(pattern: str, name: str, expected: bool) -> None:
    assert Patterns("", [pattern]).match(name) is expected


def as_regex(pattern: str) -> str:
    wild = {"*": ".*", "%": "[^/]*"}
    return "".join(wild.get(character, re.escape(character)) for character in pattern)


@given(st.text("ab/*%%", max_size=8), st.text("ab/", max_size=10))
def test_a_pattern_means_what_its_regex_means(pattern: str, name: str) -> None:
    assert compile_pattern(pattern)(name) is bool(re.fullmatch(as_regex(pattern), name))


@pytest.mark.parametrize("pattern", ["%a" * 999 + "b", "*a%" * 400 + "b", "*%" * 5000, "%a*" * 300])
@pytest.mark.parametrize("name", ["a" * 1000, "/".join("a" * 500)])
def test_no_pattern_takes_long(pattern: str, name: str) -> None:
    before = time.process_time()
    for _ in range(10):
        compile_pattern(pattern)(name)
    assert time.process_time() - before < 1  # 10 ms; seconds or for ever with backtracking


def test_the_reference_comes_first_and_empty_patterns_match_nothing() -> None:
    patterns = Patterns("a/", ["", "b", "c%"])
    assert patterns.match("a/b")
    assert patterns.match("a/cd")
    assert not any(map(patterns.match, ("", "a/", "b")))
    assert patterns.match_level("a/cd")
    assert not patterns.match_level("a/b")


def test_patterns_with_wildcards_are_bounded_and_names_are_not() -> None:
    assert Patterns("", [f"n{number}" for number in range(4000)]).match("n3999")
    with pytest.raises(TooManyPatterns):
        Patterns("", [f"*n{number}" for number in range(WILDCARDS_MAXIMUM + 1)])
    with pytest.raises(TooManyPatterns):
        Patterns("", ["n" * WILD_LENGTH_MAXIMUM + "*"])
    with pytest.raises(TooManyPatterns):
        Patterns("n" * (WILD_LENGTH_MAXIMUM + 1), ["a"])


def test_combining_marks_cost_no_seconds() -> None:
    marks = "a" + "\u0301" * 16_000 + "\u0323" * 16_000  # 64 KiB, four seconds to compose
    before = time.process_time()
    Patterns("", [marks])
    assert canonical_name(marks) == marks
    assert canonical_name(f"Shared/{marks}@example.org/x").endswith("/x")
    assert time.process_time() - before < 1
