"""The match type `:regex` and the modifier `:quoteregex` (draft-ietf-sieve-regex)."""

from time import process_time

import pytest

from routing.sieve.actions import FileInto
from tests.routing.sieve.scripts import actions_of, errors_of, header, is_true, result_of

REQUIRED = ("regex", "variables", "fileinto")


@pytest.mark.parametrize(
    ("expression", "value", "answer"),
    [
        ("version [0-9.]+", "a version 1.0", True),
        ("VERSION", "version", True),
        ("^ver", "version", True),
        ("^sion", "version", False),
        ("sion$", "version", True),
        ("^$", "", True),
        ("v.r", "vür", True),
        ("[[:digit:]]{2}", "a12", True),
        ("[[:digit:]]{3}", "a12", False),
        (r"\\bver\\b", "a ver b", True),
        (r"\\.", "a", False),
        ("(a|b)+c", "xabac", True),
        ("ÜBEL", "übel", True),
        ("", "x", True),
    ],
)
def test_expressions(expression: str, value: str, answer: bool) -> None:
    assert (
        is_true(f'header :regex "a" "{expression}"', header(f"A: {value}"), require=REQUIRED)
        is answer
    )


def test_the_case_is_that_of_the_comparator() -> None:
    message = header("A: version")
    assert not is_true(
        'header :regex :comparator "i;octet" "a" "VERSION"', message, require=REQUIRED
    )
    assert is_true('header :regex :comparator "i;octet" "a" "ver"', message, require=REQUIRED)


@pytest.mark.parametrize(
    ("expression", "filed"),
    [
        (r"\\[([^]]+)\\] (.*)$", "[acme] it is out|acme|it is out"),
        ("(none)?is (out)", "is out||out"),
        ("is|is out", "is out||"),
        ("(i[st])+", "it|it|"),
    ],
)
def test_what_was_matched(expression: str, filed: str) -> None:
    """The leftmost, then the longest."""
    script = f"""require ["regex", "variables", "fileinto"];
if header :regex "a" "{expression}" {{ fileinto "${{0}}|${{1}}|${{2}}"; }}"""
    assert actions_of(script, header("A: [acme] it is out")) == (FileInto(filed),)


@pytest.mark.parametrize(
    "expression",
    ["(", "*", "a{2,1}", r"(.)\\1", "[b-a]", "(?P<a", "a{5000}", "x" * 2001, "(" * 1500],
)
def test_what_is_no_expression_is_an_error(expression: str) -> None:
    script = f'require "regex";\nif header :regex "a" "{expression}" {{}}'
    assert [place[:2] for place in errors_of(script)] == [(2, 4)]


def test_what_is_none_as_the_script_runs_is_an_error_then() -> None:
    script = (
        'require ["regex", "variables"];\nset "a" "(";\nif header :regex "a" "${a}" { discard; }'
    )
    result = result_of(script, header("A: b"))
    assert result.error is not None
    assert result.error.line == 3
    assert result.keeps_implicitly


def test_numbers_have_no_expressions() -> None:
    script = 'require ["regex", "comparator-i;ascii-numeric"];\nif header :regex :comparator "i;ascii-numeric" "a" "1" {}'
    assert [place[:2] for place in errors_of(script)] == [(2, 4)]


def test_quoteregex() -> None:
    script = r"""require ["regex", "variables", "fileinto"];
set :quoteregex "a" "a.b*[c]";
if header :regex "a" "^${a}$" { fileinto "${a}"; }"""
    assert actions_of(script, header("A: a.b*[c]")) == (FileInto(r"a\.b\*\[c\]"),)
    assert not isinstance(actions_of(script, header("A: axbb[c]"))[0], FileInto)


def test_eight_bits_are_text_too() -> None:
    assert is_true('header :regex "a" "^F..e$"', b"A: F\xfc\xdfe\r\n\r\n", require=REQUIRED)


@pytest.mark.parametrize(
    "expression",
    ["(a*)*b", "(a|a)*b", "(a|b)*a(a|b){400}c", "(.*)(.*)(.*)(.*)x", "((a{0,30}){0,30})b"],
)
def test_time_is_linear(expression: str) -> None:
    message = header("A: " + "ab" * 25_000)
    start = process_time()
    result_of(f'require "regex"; if header :regex "a" "{expression}" {{ discard; }}', message)
    assert process_time() - start < 2


def test_what_repeats_too_much_is_an_error() -> None:
    script = 'require "regex"; if header :regex "a" "((a|b){1,30}){1,30}c" { stop; }'
    assert ["repeats too much" in one[2] for one in errors_of(script)] == [True]


def test_a_script_cannot_take_long_to_compile_by_its_patterns() -> None:
    keys = ", ".join(f'"a{{1,900}}{number}"' for number in range(5000))
    start = process_time()
    errors = errors_of(f'require "regex"; if header :regex "a" [{keys}] {{ stop; }}')
    assert [error[2] for error in errors] == ["the script's patterns are too many, or too large"]
    assert process_time() - start < 5
