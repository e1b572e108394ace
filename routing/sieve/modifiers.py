"""Modifiers of `set`: tags that change a value before it is stored (RFC 5229 §4.1). Other extensions bring more."""

from collections.abc import Callable
from dataclasses import dataclass

from routing.sieve.language import TagKind


@dataclass(frozen=True, slots=True)
class Modifier(TagKind):
    """Of one `precedence` there is one at most; the highest is applied first."""

    precedence: int = 0
    change: Callable[[str], str] = str


def modifier(name: str, precedence: int, change: Callable[[str], str]) -> Modifier:
    return Modifier(name, group=f"modifier {precedence}", precedence=precedence, change=change)
