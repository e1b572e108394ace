"""No script and no message makes the compiler raise anything but its errors, or a run raise or pass its bounds."""

from random import Random
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.sieve.actions import Keep, Redirect
from routing.sieve.errors import InvalidScript
from routing.sieve.language import standard
from routing.sieve.lexer import tokens
from routing.sieve.limits import (
    ACTIONS_MAXIMUM,
    ERRORS_MAXIMUM,
    REDIRECTS_MAXIMUM,
    SCRIPT_SIZE_MAXIMUM,
)
from routing.sieve.message import Message
from routing.sieve.program import Program
from routing.sieve.results import Result
from routing.sieve.trace import Trace
from tests.routing.sieve import generating

LANGUAGE = standard()
PIECES = [
    *LANGUAGE.commands, *LANGUAGE.tests, *(f":{name}" for name in LANGUAGE.match_types),
    *(f":{tag}" for _, tag in LANGUAGE.tags), *(f'"{name}"' for name in LANGUAGE.capabilities),
    "require", "if", '"', "\\", "{", "}", "(", ")", "[", "]", ",", ";", ":", "5", "5k", "99999999999999999999",
    "text:\n", "\n.\n", "#", "/*", "*/", "\n", "\r", "ü", "$", '"a"', '"${a}"', "true", "not", "anyof",
]  # fmt: skip


def compiled(script: bytes) -> Program | None:
    try:
        return LANGUAGE.compile(script)
    except InvalidScript as invalid:
        errors = invalid.errors
    assert 0 < len(errors) <= ERRORS_MAXIMUM
    assert list(errors) == sorted(errors)
    lines = script.count(b"\n") + 1
    for error in errors:
        assert 1 <= error.line <= lines
        assert error.column >= 1
        assert error.message
    return None


def check_result(result: Result) -> None:
    assert len(result.actions) <= ACTIONS_MAXIMUM + 1
    redirects = [one for one in result.actions if isinstance(one, Redirect)]
    assert len(redirects) <= REDIRECTS_MAXIMUM
    if result.error is not None:
        assert result.actions == (Keep(implicit=True),)
        assert result.memories == ()
    assert sum(isinstance(one, Keep) and one.implicit for one in result.actions) <= 1
    _ = result.message.content


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
def test_any_bytes(script: bytes) -> None:
    compiled(script)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join))
def test_words_of_the_language_in_any_order(script: str) -> None:
    compiled(script.encode())


@settings(max_examples=80, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans())
def test_scripts_of_everything_over_broken_messages(random: Random, is_traced: bool) -> None:
    writer = generating.Writer(LANGUAGE, random)
    program = compiled(writer.script().encode("utf-8", "replace"))
    if program is None:  # each command compiles, but not all of them together
        return
    result = program.run(
        Message(generating.message(random)),
        generating.envelope(random),
        generating.host(writer),
        environment=generating.environment(random),
        trace=Trace() if is_traced else None,
    )
    check_result(result)


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False))
def test_scripts_with_an_error_somewhere(random: Random) -> None:
    writer = generating.Writer(LANGUAGE, random)
    script = writer.require + "".join(writer.command() for _ in range(3))
    compiled(generating.mutated(script.encode("utf-8", "replace"), random))


MEGABYTE = {
    "marks": ";",
    "strings": '"a"',
    "names": "a ",
    "tags": ":a ",
    "numbers": "1k ",
    "comments": "/* */",
    "line comments": "#a\n",
    "texts": "text:\n..\n.\n",
    "rubbish": "\x01",
    "half comment": "/*" + "*" * 100,
    "half text": "text:\n..\n",
    "spaces": " \t\r\n",
}


@pytest.mark.parametrize("name", MEGABYTE)
def test_lexing_takes_a_tenth_of_a_second_a_megabyte(name: str) -> None:
    """With some to spare for the machine; the best of three, so that what else it does counts little."""
    unit = MEGABYTE[name]
    check_lexing(unit * (SCRIPT_SIZE_MAXIMUM // len(unit)))


@pytest.mark.parametrize("inside", ["a", '\\"', "\\\\", "\n", "ü"])
def test_lexing_of_one_large_string(inside: str) -> None:
    check_lexing('"' + inside * (SCRIPT_SIZE_MAXIMUM // len(inside.encode()) - 2) + '"')
    check_lexing('"' + inside * (SCRIPT_SIZE_MAXIMUM // len(inside.encode()) - 2))


def check_lexing(text: str) -> None:
    def seconds() -> float:
        start = process_time()
        for _ in tokens(text):
            pass
        return process_time() - start

    assert min(seconds() for _ in range(3)) < 0.3
