"""What a script may say: RFC 5228 §2.6, §2.7, §2.10.5, §3.2; every error with its line and column."""

import pytest

from routing.sieve.language import standard
from tests.routing.sieve.scripts import errors_of


@pytest.mark.parametrize(
    ("script", "errors"),
    [
        ("frobnicate;", [(1, 1, "this server knows no command 'frobnicate'")]),
        ("if frob {}", [(1, 4, "this server knows no test 'frob'")]),
        ('fileinto "a";', [(1, 1, "'fileinto' needs: require \"fileinto\"")]),
        ('if envelope "from" "a" {}', [(1, 4, "'envelope' needs: require \"envelope\"")]),
        ('require "no such";', [(1, 9, "this server does not know the extension 'no such'")]),
        (
            'keep; require "fileinto";',
            [(1, 7, "require stands at the beginning, before all other commands")],
        ),
        ("require 5;", [(1, 9, "here should be a list of strings")]),
        ("keep 5;", [(1, 1, "'keep' takes 0 arguments, not 1")]),
        ("keep true;", [(1, 1, "'keep' takes no test")]),
        ("keep {}", [(1, 1, "'keep' has no block")]),
        ("if true;", [(1, 1, "'if' needs a block")]),
        ("if {}", [(1, 1, "'if' takes one test")]),
        ("if not {}", [(1, 4, "'not' takes one test")]),
        ("if anyof {}", [(1, 4, "'anyof' takes a list of tests in parentheses")]),
        ("if anyof true {}", [(1, 4, "'anyof' takes a list of tests in parentheses")]),
        ("if not (true) {}", [(1, 4, "'not' takes one test")]),
        ("if (true) {}", [(1, 1, "'if' takes one test")]),
        ("keep (true);", [(1, 1, "'keep' takes no test")]),
        ("else {}", [(1, 1, "'else' has its place behind 'if' or 'elsif' only")]),
        ("elsif true {}", [(1, 1, "'elsif' has its place behind 'if' or 'elsif' only")]),
        (
            "if true {} else {} else {}",
            [(1, 20, "'else' has its place behind 'if' or 'elsif' only")],
        ),
        (
            "if true {} keep; else {}",
            [(1, 18, "'else' has its place behind 'if' or 'elsif' only")],
        ),
        ("redirect;", [(1, 1, "'redirect' takes 1 arguments, not 0")]),
        ("redirect 5;", [(1, 10, "here should be a string")]),
        ('redirect ["a@example.com"];', [(1, 10, "here should be a string")]),
        ('redirect "nowhere";', [(1, 10, "'nowhere' is no address to redirect to")]),
        ('redirect "a@b, c@d";', [(1, 10, "'a@b, c@d' is no address to redirect to")]),
        ('if header :frob "a" "b" {}', [(1, 11, "'header' knows no :frob")]),
        ('if header "a" :is "b" {}', [(1, 15, "tags stand before the other arguments")]),
        ('if header :is :is "a" "b" {}', [(1, 15, "there is more than one match type")]),
        ('if header :is :contains "a" "b" {}', [(1, 15, "there is more than one match type")]),
        ('if header :comparator "i;none" "a" "b" {}', [(1, 11, "this server does not know the comparator 'i;none'")]),
        ('if header :comparator 5 "a" "b" {}', [(1, 11, "this server does not know the comparator ''")]),
        ("if header :comparator {}", [(1, 11, ":comparator needs a value")]),
        ('if address :all :domain "to" "b" {}', [(1, 17, "there is more than one address part")]),
        ('if address "subject" "b" {}', [(1, 12, "'subject' is no field of addresses")]),
        ('if header :all "to" "b" {}', [(1, 11, "'header' knows no :all")]),
        ("if size 5 {}", [(1, 4, "'size' takes 0 arguments, not 1")]),
        ("if size {}", [(1, 4, "size needs :over or :under")]),
        ('if size :over "5" {}', [(1, 15, "here should be a number")]),
        ("if size :over 5 :under 6 {}", [(1, 17, ":under stands beside :over")]),
        ("if size :over 5 :over 6 {}", [(1, 17, ":over stands again")]),
    ],
)  # fmt: skip
def test_errors_of_use(script: str, errors: list[tuple[int, int, str]]) -> None:
    assert errors_of(script) == errors


def test_every_error_of_every_place_is_told_in_order() -> None:
    script = """require ["fileinto", "no such"];
frob {
    nob "x";
}
if anyof (header :is "a", not tob, size :over "x") {
    redirect "x";
} elsif cob {
    fileinto;
}
keep ;;
if false { mob; }
"""
    assert [(line, column) for line, column, _ in errors_of(script)] == [
        (1, 9),
        (2, 1),
        (3, 5),
        (5, 11),
        (5, 31),
        (5, 47),
        (6, 14),
        (7, 9),
        (8, 5),
        (10, 7),
        (11, 12),
    ]


def test_names_and_tags_are_of_any_case() -> None:
    assert (
        errors_of('REQUIRE "fileinto"; If Header :IS "a" "b" { FILEinto "a"; } ELSE { KEEP; }')
        == []
    )


def test_extensions_and_comparators_are_of_one_case() -> None:
    assert errors_of('require "FileInto";') != []
    assert errors_of('if header :comparator "I;OCTET" "a" "b" {}') != []


@pytest.mark.parametrize(
    "name", ["comparator-i;octet", "comparator-i;ascii-casemap", "fileinto", "envelope"]
)
def test_what_may_be_required(name: str) -> None:
    assert errors_of(f'require "{name}"; require ["{name}"];') == []


def test_the_base_is_no_capability() -> None:
    capabilities = standard().capabilities
    assert {"fileinto", "envelope"} <= set(capabilities)
    assert "" not in capabilities
    assert list(capabilities) == sorted(set(capabilities))


def test_a_name_that_is_none_of_a_field_is_a_warning() -> None:
    program = standard().compile(b'keep;\nif exists "X: y" { stop; }')
    assert [(one.line, one.column) for one in program.warnings] == [(2, 11)]


def test_a_command_with_very_many_arguments_is_told_at_once() -> None:
    [(line, column, _)] = errors_of("keep " + "5 " * 30_000 + ";")
    assert (line, column) == (1, 1)
