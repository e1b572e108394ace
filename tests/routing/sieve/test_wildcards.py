"""The patterns of `:matches` (RFC 5228 §2.7.1, RFC 5229 §3.2)."""

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.sieve.wildcards import Wildcards


def matched(pattern: str, text: str) -> list[str] | None:
    spans = Wildcards(pattern).match(text)
    return None if spans is None else [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("pattern", "text", "values"),
    [
        ("", "", []),
        ("", "a", None),
        ("*", "", [""]),
        ("**", "ab", ["", "ab"]),
        ("a", "a", []),
        ("a", "ab", None),
        ("?", "", None),
        ("?", "\n", ["\n"]),
        ("??", "ab", ["a", "b"]),
        ("a*", "abc", ["bc"]),
        ("*c", "abc", ["ab"]),
        ("a*a", "a", None),
        ("*a*", "banana", ["b", "nana"]),
        ("*a", "banana", ["banan"]),
        ("*?a", "banana", ["bana", "n"]),
        ("*?*", "abc", ["", "a", "bc"]),
        ("*an?", "banana", ["ban", "a"]),
        ("*[fo*", "x[foo", ["x", "o"]),
        (r"\*", "*", []),
        (r"\*", "a", None),
        (r"\?\\", "?\\", []),
        (r"\a", "a", []),
        ("a\\", "a\\", []),
        ("a.c", "abc", None),
        ("*-*-*", "a-b-c-d", ["a", "b", "c-d"]),
        ("?*ü", "äöü", ["ä", "ö"]),
    ],
)
def test_patterns(pattern: str, text: str, values: list[str] | None) -> None:
    assert matched(pattern, text) == values


@given(st.text("ab*?\\", max_size=12), st.text("ab*?\\", max_size=14))
def test_matches_as_a_regular_expression_with_the_shortest_stars(pattern: str, text: str) -> None:
    expression = ""
    for token in re.findall(r"\\.|.|\\", pattern):
        if token in "*?":
            expression += "(.*?)" if token == "*" else "(.)"
        else:
            expression += re.escape(token[1:] or token if token[0] == "\\" else token)
    match = re.fullmatch(expression, text)
    assert matched(pattern, text) == (None if match is None else list(match.groups()))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("*a" * 5000 + "b", "a" * 100_000),
        ("*" * 100_000 + "b", "a" * 100_000),
        ("a*" * 30_000, "a" * 100_000),
        ("*aab*" * 1000, "aa" * 100_000),
        ("?" * 50_000 + "*b", "a" * 100_000),
    ],
)
def test_time_is_linear(pattern: str, text: str) -> None:
    wildcards = Wildcards(pattern)
    start = process_time()
    wildcards.match(text)
    assert process_time() - start < 1


def test_work_of_a_long_piece_with_question_marks_is_told() -> None:
    assert Wildcards("*" + "a?" * 100 + "*").work(10_000) >= 200 * 10_000
    assert Wildcards("*a*b*").work(10_000) < 1000


def test_a_pattern_of_very_many_wildcards_is_prepared_at_once() -> None:
    start = process_time()
    for pattern in ("*?" * 100_000, "*\\??" * 60_000, "?" * 300_000):
        Wildcards(pattern)
    assert process_time() - start < 2
