"""Implicit keep, duplicates, conflicts, limits, errors at run time (RFC 5228 §2.10), and scripts one after the other."""

from collections.abc import Sequence

import pytest

from routing.sieve import interpreter
from routing.sieve.actions import Action, Discard, FileInto, Keep, Memory, Redirect
from routing.sieve.host import Alone
from routing.sieve.language import standard
from routing.sieve.limits import ACTIONS_MAXIMUM, REDIRECTS_MAXIMUM
from routing.sieve.message import Message
from routing.sieve.results import Result
from tests.routing.sieve.scripts import ENVELOPE, MESSAGE, actions_of, result_of

IMPLICIT = Keep(implicit=True)


@pytest.mark.parametrize(
    ("script", "actions"),
    [
        ("", [IMPLICIT]),
        ("stop;", [IMPLICIT]),
        ("if false { discard; }", [IMPLICIT]),
        ("keep;", [Keep()]),
        ("keep; keep;", [Keep()]),
        ("discard;", [Discard()]),
        ("discard; discard;", [Discard()]),
        ("discard; keep;", [Discard(), Keep()]),
        ('redirect "a@example.com";', [Redirect("a@example.com")]),
        ('redirect "a@example.com"; keep;', [Redirect("a@example.com"), Keep()]),
        ('redirect "Tom <a@example.com>"; redirect "a@EXAMPLE.com";', [Redirect("a@example.com")]),
        ('redirect "a@example.com"; redirect "A@example.com";', [Redirect("a@example.com"), Redirect("A@example.com")]),
        ('require "fileinto"; fileinto "a";', [FileInto("a")]),
        ('require "fileinto"; fileinto "a"; fileinto "b"; fileinto "a";', [FileInto("a"), FileInto("b")]),
        ('require "fileinto"; fileinto "inbox"; fileinto "INBOX";', [FileInto("INBOX")]),
        ('require "fileinto"; keep; fileinto "INBOX";', [FileInto("INBOX")]),
        ('require "fileinto"; fileinto "INBOX"; keep;', [Keep()]),
        ('require "fileinto"; fileinto "a"; fileinto "A";', [FileInto("a"), FileInto("A")]),
    ],
)  # fmt: skip
def test_actions(script: str, actions: list[Action]) -> None:
    assert list(actions_of(script)) == actions


def test_an_action_knows_its_line() -> None:
    assert [one.line for one in actions_of('keep;\n\nredirect "a@example.com";')] == [1, 3]


def redirects(count: int) -> str:
    return "".join(f'redirect "u{n}@example.com";\n' for n in range(count))


def test_redirects_are_bounded() -> None:
    assert len(actions_of(redirects(REDIRECTS_MAXIMUM))) == REDIRECTS_MAXIMUM
    result = result_of(redirects(REDIRECTS_MAXIMUM + 1))
    assert result.error is not None
    assert (result.error.line, result.error.column) == (5, 1)
    assert result.actions == (IMPLICIT,)


def test_actions_are_bounded() -> None:
    script = 'require "fileinto";' + "".join(f'fileinto "f{n}";' for n in range(ACTIONS_MAXIMUM))
    assert len(actions_of(script)) == ACTIONS_MAXIMUM
    assert result_of(script + "keep;").actions == (IMPLICIT,)


def test_steps_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands and tests count alike; what repeats them (loops, includes) is an extension's."""
    monkeypatch.setattr(interpreter, "INSTRUCTIONS_MAXIMUM", 20)
    assert result_of("if not false {}\n" * 6 + "discard;").actions == (Discard(),)
    result = result_of("if not false {}\n" * 7)
    assert result.actions == (IMPLICIT,)
    assert result.error is not None
    assert result.error.message == "the script does too many steps"


def test_a_script_that_fails_keeps_and_does_nothing_else() -> None:
    result = result_of(
        'require "fileinto";\ndiscard;\nfileinto "a";\nif true {\n' + redirects(5) + "}"
    )
    assert result.actions == (IMPLICIT,)
    assert result.error is not None
    assert str(result.error) == "line 9, column 1: a message is redirected 4 times at most"
    assert result.keeps_implicitly


def run_all(scripts: Sequence[str]) -> Result:
    """As a delivery does: the next runs only where the one before left the implicit keep."""
    result: Result | None = None
    for script in scripts:
        if result is None or result.keeps_implicitly:
            result = result_of(script, after=result)
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("scripts", "actions"),
    [
        (["", ""], [IMPLICIT]),
        (["", "discard;"], [Discard()]),
        (["discard;", "keep;"], [Discard()]),
        (["keep;", "discard;"], [Keep()]),
        (["", "keep;", "discard;"], [Keep()]),
        ([redirects(2), "keep;"], [Redirect("u0@example.com"), Redirect("u1@example.com")]),
    ],
)
def test_the_next_script_decides_about_the_implicit_keep(
    scripts: list[str], actions: list[Action]
) -> None:
    assert list(run_all(scripts).actions) == actions


def test_what_was_done_before_stays_where_a_later_script_fails() -> None:
    first = Result(
        Message(MESSAGE),
        (Redirect("first@example.com"), IMPLICIT),
        memories=(Memory("vacation", b"tom", 60),),
    )
    result = result_of('discard; redirect "first@example.com";' + redirects(5), after=first)
    assert result.error is not None
    assert result.actions == (Redirect("first@example.com"), IMPLICIT)
    assert result.memories == first.memories


def test_duplicates_and_bounds_are_seen_over_all_scripts() -> None:
    first = Result(Message(MESSAGE), (Redirect("u0@example.com"), IMPLICIT))
    assert result_of(redirects(4), after=first).actions == tuple(
        Redirect(f"u{n}@example.com") for n in range(4)
    )
    assert result_of(redirects(4).replace("u0", "x"), after=first).error is not None


def test_one_program_runs_many_times() -> None:
    program = standard().compile(b'if header "subject" "a" { discard; }')
    for subject, action in ((b"a", Discard()), (b"b", IMPLICIT), (b"A", Discard())):
        message = Message(b"Subject: " + subject + b"\r\n\r\n")
        assert program.run(message, ENVELOPE, Alone()).actions == (action,)
