"""size, allof, anyof, not, true, false, if, elsif, else, stop (RFC 5228 §3.1, §3.3, §5)."""

import pytest

from routing.sieve.actions import Discard, Keep, Redirect
from tests.routing.sieve.scripts import actions_of, is_true


@pytest.mark.parametrize(
    ("test", "answer"),
    [
        ("size :over 99", True),
        ("size :over 100", False),
        ("size :under 100", False),
        ("size :under 101", True),
        ("size :over 1K", False),
        ("size :under 1g", True),
        ("true", True),
        ("false", False),
        ("not false", True),
        ("not not false", False),
        ("allof (true, true)", True),
        ("allof (true, false)", False),
        ("anyof (false, true)", True),
        ("anyof (false, false)", False),
        ("anyof (allof (true, false), not anyof (false))", True),
    ],
)
def test_tests(test: str, answer: bool) -> None:
    assert is_true(test, b"A: b\r\n\r\n" + b"x" * 92) is answer


@pytest.mark.parametrize(
    ("first", "second", "branch"),
    [("true", "true", 1), ("true", "false", 1), ("false", "true", 2), ("false", "false", 3)],
)
def test_one_branch_is_taken(first: str, second: str, branch: int) -> None:
    script = f"""
if {first} {{ if false {{}} elsif false {{}} redirect "b1@example.com"; }}
elsif {second} {{ if true {{}} redirect "b2@example.com"; }}
else {{ redirect "b3@example.com"; }}
"""
    assert actions_of(script) == (Redirect(f"b{branch}@example.com"),)


def test_an_if_within_a_branch_decides_nothing_outside() -> None:
    assert actions_of("if true { if false {} } else { discard; }") == (Keep(implicit=True),)
    assert actions_of("if false {} elsif true { if false {} } else { discard; }") == (
        Keep(implicit=True),
    )
    assert actions_of("if false { } else { if true {} } if true { discard; }") == (Discard(),)


def test_tests_are_not_looked_at_in_vain() -> None:
    """allof and anyof end with the first that decides (RFC 5228 §5.2, §5.3)."""
    keys = ",".join('"x"' for _ in range(15_000))
    message = "".join("A:\r\n" for _ in range(900)).encode() + b"\r\n"
    costly = f'header "a" [{keys}]'
    assert is_true(f"anyof (true, {costly})", message)
    assert not is_true(f"allof (false, {costly})", message)


def test_stop_ends_the_script_from_within() -> None:
    assert actions_of("if true { if true { stop; } } discard;") == (Keep(implicit=True),)
    assert actions_of("discard; stop; keep;") == (Discard(),)
