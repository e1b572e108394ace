"""Modifiers of `set`: tags that change a value before it is stored (RFC 5229 §4.1). Other extensions bring more."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from routing.sieve.calls import Call
from routing.sieve.language import TagKind

MODIFIED = ("set", "extracttext")
"""The commands that take modifiers."""

_WILD = re.compile(r"([*?\\])")


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
    modifier("quotewildcard", 20, lambda text: _WILD.sub(r"\\\1", text)),
    modifier("length", 10, lambda text: str(len(text))),
)
