"""Modifiers of `set`: tags that change a value before it is stored (RFC 5229 §4.1). Other extensions bring more."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.sieve.calls import Call
from routing.sieve.language import TagKind

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

MODIFIED = ("set", "extracttext")
"""The commands that take modifiers."""

CHANGE_COST = 32  # of a character, in those that comparisons look at

_WILD = str.maketrans({letter: f"\\{letter}" for letter in "*?\\"})


@dataclass(frozen=True, slots=True)
class Modifier(TagKind):
    """Of one `precedence` there is one at most; the highest is applied first."""

    precedence: int = 0
    change: Callable[[str], str] = str


def modifier(name: str, precedence: int, change: Callable[[str], str]) -> Modifier:
    return Modifier(name, group=f"modifier {precedence}", precedence=precedence, change=change)


def changes_of(call: Call) -> tuple[Callable[[str], str], ...]:
    """What the modifiers of a command do, in their order."""
    modifiers = [use.kind for use in call.tags.values() if isinstance(use.kind, Modifier)]
    modifiers.sort(key=lambda one: -one.precedence)
    return tuple(one.change for one in modifiers)


def changed(run: "Run", changes: tuple[Callable[[str], str], ...], value: str) -> str:
    """The value after all its changes. Raises RunError when a run has changed too much."""
    for change in changes:
        run.look_at(len(value) * CHANGE_COST)
        value = change(value)
    return value


def _upper(text: str) -> str:
    """Letters of ASCII alone (§4.1.3)."""
    return text.upper() if text.isascii() else re.sub("[a-z]+", lambda m: m[0].upper(), text)


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else re.sub("[A-Z]+", lambda m: m[0].lower(), text)


BASE_MODIFIERS = (
    modifier("upper", 40, _upper),
    modifier("lower", 40, _lower),
    modifier("upperfirst", 30, lambda text: _upper(text[:1]) + text[1:]),
    modifier("lowerfirst", 30, lambda text: _lower(text[:1]) + text[1:]),
    modifier("quotewildcard", 20, lambda text: text.translate(_WILD)),
    modifier("length", 10, lambda text: str(len(text))),
)
