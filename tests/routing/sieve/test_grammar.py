"""The grammar of RFC 5228 §8.2, and that all its errors are told."""

import pytest

from routing.sieve.grammar import parse
from routing.sieve.lexer import Source
from routing.sieve.limits import ERRORS_MAXIMUM
from routing.sieve.nodes import Number, String, StringList, Tag
from tests.routing.sieve.scripts import errors_of


def broken(script: str) -> list[tuple[int, int, str]]:
    return [(one.line, one.column, one.message) for one in parse(Source(script.encode()))[1]]


def test_a_command_with_all_that_it_may_have() -> None:
    [command], errors = parse(Source(b'do :it 5 ["a","b"] "c" one (not two, three :x) { four; }'))
    assert errors == []
    assert command.name == "do"
    assert command.arguments == (
        Tag(3, "it"),
        Number(7, 5),
        StringList(9, (String(10, "a"), String(14, "b"))),
        String(19, "c"),
    )
    [one] = command.tests
    assert [(test.name, test.at) for test in one.tests] == [("not", 28), ("three", 37)]
    assert [test.name for test in one.tests[0].tests] == ["two"]
    assert command.block is not None
    assert [inner.name for inner in command.block] == ["four"]


def test_an_empty_block_is_a_block() -> None:
    [command], errors = parse(Source(b"else {}"))
    assert (command.block, errors) == ((), [])


@pytest.mark.parametrize("script", ["", "\r\n", "# nothing", "/* nothing */"])
def test_a_script_may_be_empty(script: str) -> None:
    assert parse(Source(script.encode())) == ((), [])


@pytest.mark.parametrize(
    ("script", "errors"),
    [
        ("keep", [(1, 5, "'keep' should end with a semicolon or have a block")]),
        ('keep "a"\n5', [(2, 2, "'keep' should end with a semicolon or have a block")]),
        ('"a";', [(1, 1, "here should be a command")]),
        (";", [(1, 1, "here should be a command")]),
        ("if true {\n keep;\n", [(1, 9, "this block has no end")]),
        ("keep; }\nstop;", [(1, 7, "this } closes nothing")]),
        ('a ["x" "y"];', [(1, 8, "here should be a comma or the end of the list of strings")]),
        ("a [];", [(1, 4, "here should be a string")]),
        ('a ["x",];', [(1, 8, "here should be a string")]),
        ("if anyof (true {}", [(1, 16, "here should be a comma or the end of the list of tests")]),
        ("if anyof (true,) {}", [(1, 16, "here should be a test")]),
        ("if anyof () {}", [(1, 11, "here should be a test")]),
        ("if (true {}", [(1, 10, "here should be a comma or the end of the list of tests")]),
    ],
)  # fmt: skip
def test_errors_have_their_place(script: str, errors: list[tuple[int, int, str]]) -> None:
    assert broken(script) == errors


def test_all_errors_are_told() -> None:
    script = """keep
fileinto "a";
if header :is "x" ["a" "b"] {
    $;
    keep;
} else { discard }
stop;
redirect [;;
"""
    assert [line for line, _, _ in broken(script)] == [3, 4, 6, 8, 8]


def test_what_follows_an_error_is_checked_too() -> None:
    assert [(line, column) for line, column, _ in errors_of("keep ]\n;\nfrob;\nkeep 5;")] == [
        (1, 6),
        (3, 1),
        (4, 1),
    ]


def test_only_some_errors_are_told_of_a_hopeless_script() -> None:
    assert len(errors_of("$ ; " * 1000)) == ERRORS_MAXIMUM
    assert len(errors_of("frob;\n" * 1000)) == ERRORS_MAXIMUM


@pytest.mark.parametrize("depth", [15, 30])
def test_blocks_and_tests_nest(depth: int) -> None:
    assert errors_of("if true {" * depth + "keep;" + "}" * depth) == []
    assert errors_of("if " + "not " * depth + "true { keep; }") == []
    assert errors_of("if " + "anyof (" * depth + "true" + ")" * depth + "{ keep; }") == []


def test_fifteen_blocks_and_fifteen_lists_of_tests_nest_together() -> None:
    test = "allof (" * 15 + "true" + ")" * 15
    assert errors_of("if true {" * 15 + f"if {test} {{ keep; }}" + "}" * 15) == []


@pytest.mark.parametrize(
    "script",
    [
        "if true {" * 100_000,
        "if " + "not " * 100_000 + "true {}",
        "if " + "anyof (" * 100_000,
        "(" * 100_000,
        "{" * 100_000,
        "}" * 100_000,
        "[" * 100_000,
    ],
)
def test_nesting_has_a_bound(script: str) -> None:
    assert errors_of(script)
