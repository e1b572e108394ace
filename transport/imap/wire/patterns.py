"""Which names a LIST pattern matches: `*` is anything, `%` anything without the separator (RFC 9051 §6.3.9). Pure.

The usual patterns are a comparison each. Any other is matched with a set of places in the name, one bit a place, that
each piece of the pattern moves on: no pattern makes it go back, and it ends with the pattern.
"""

import re
from collections.abc import Callable, Iterable

from accounts.mailstore.folder_names import composed

SEPARATOR = "/"
WILDCARDS_MAXIMUM = 50
"""Patterns with a wildcard in one command; names without one are looked up, however many there are."""
WILD_LENGTH_MAXIMUM = 4096
"""Characters of all of them together: what matching costs a name."""

_INBOX = re.compile(r"\Ainbox(?=[/*%]|$)", re.IGNORECASE)
_PIECES = re.compile(r"([*%])")

Match = Callable[[str], bool]


class TooManyPatterns(Exception):
    """The command has more patterns with wildcards, or longer ones, than are matched."""


class Patterns:
    """All patterns of one command, each after the reference."""

    def __init__(self, reference: str, patterns: Iterable[str]) -> None:
        if len(reference) > WILD_LENGTH_MAXIMUM:  # it stands before each of them
            raise TooManyPatterns
        full = dict.fromkeys(_canonical(reference + pattern) for pattern in patterns if pattern)
        wild = {pattern: compile_pattern(pattern) for pattern in full if _is_wild(pattern)}
        if len(wild) > WILDCARDS_MAXIMUM or sum(map(len, wild)) > WILD_LENGTH_MAXIMUM:
            raise TooManyPatterns
        self._names = full.keys() - wild.keys()
        self._matches = list(wild.values())
        self._level_matches = [match for pattern, match in wild.items() if pattern[-1] == "%"]

    def match(self, name: str) -> bool:
        """Whether any pattern matches the name."""
        return name in self._names or any(match(name) for match in self._matches)

    def match_level(self, name: str) -> bool:
        """Whether one that ends in `%` does: such a pattern shows missing levels too."""
        return any(match(name) for match in self._level_matches)


def compile_pattern(pattern: str) -> Match:
    """The test of one pattern."""
    pattern = re.sub(r"[*%]*\*[*%]*", "*", re.sub(r"%+", "%", pattern))
    if pattern == "*":
        return lambda name: True
    start, wild = pattern[:-1], pattern[-1:]
    if not _is_wild(start):
        if wild == "*":
            return lambda name: name.startswith(start)
        if wild == "%":
            return lambda name: name.startswith(start) and SEPARATOR not in name[len(start) :]
        return lambda name: name == pattern
    pieces = [piece for piece in _PIECES.split(pattern) if piece]
    literals = [piece for piece in pieces if not _is_wild(piece)]
    shortest = sum(map(len, literals))
    return lambda name: (
        len(name) >= shortest
        and all(literal in name for literal in literals)
        and _reaches_end(pieces, name)
    )


def _canonical(pattern: str) -> str:
    return composed(_INBOX.sub("INBOX", pattern))


def _is_wild(pattern: str) -> bool:
    return "*" in pattern or "%" in pattern


def _reaches_end(pieces: list[str], name: str) -> bool:
    """Bit i of `places`: what comes before place i of the name matches the pieces so far."""
    end = 1 << len(name)
    of_character: dict[str, int] = {}
    for place, character in enumerate(name):
        of_character[character] = of_character.get(character, 0) | 1 << place
    within_level = (end - 1) & ~of_character.get(SEPARATOR, 0)
    places = 1
    for piece in pieces:
        if piece == "*":
            places = (2 * end - 1) & -(places & -places)
        elif piece == "%":
            # The carry of an addition runs from each place to the end of its level.
            places |= ((places & within_level) + within_level) ^ within_level
        else:
            for character in piece:
                places = (places & of_character.get(character, 0)) << 1
        if not places:
            return False
    return bool(places & end)
