r"""Patterns of `:matches`: "*" is any number of characters, as few as do; "?" is one; "\" quotes. RFC 5228 §2.7.1.

Linear in the text, but for inner pieces with question marks: there by their length (`work`). The pieces between stars are found one after the other from the
left, which gives each star its shortest match, as RFC 5229 §3.2 has it; only the last is tied to the end.
"""

from collections.abc import Iterator
from itertools import groupby

Span = tuple[int, int]
_LITERAL_COST = 64  # in characters looked at


class _Piece:
    """What stands between two stars, of a fixed length. `wilds` are the places of its question marks."""

    __slots__ = ("_literals", "length", "wilds")

    def __init__(self, characters: str | list[str | None]) -> None:
        self.length = len(characters)
        self.wilds: list[int] = []
        self._literals: list[
            tuple[int, str]
        ] = []  # what stands between the question marks, and where
        if isinstance(characters, str):
            self._literals.append((0, characters))
            return
        for is_wild, group in groupby(enumerate(characters), lambda one: one[1] is None):
            if is_wild:
                self.wilds += (at for at, _ in group)
            else:
                places, texts = zip(*group, strict=True)
                self._literals.append((places[0], "".join(texts)))

    @property
    def work(self) -> int:
        """What looking for it costs at each character, beside looking at that: a step for each literal."""
        return _LITERAL_COST * len(self._literals) if self.wilds else 0

    def at(self, text: str, start: int) -> bool:
        for at, literal in self._literals:  # noqa: SIM110  # all() takes half as much again
            if not text.startswith(literal, start + at):
                return False
        return True

    def after(self, text: str, start: int, end: int) -> int:
        """Where it is first found in text[start:end], or -1."""
        if not self._literals:
            return start if start + self.length <= end else -1
        at, literal = self._literals[0]
        last = end - self.length + at + len(literal)  # where the first literal has to end by
        found = text.find(literal, start + at, last)
        while found >= 0 and self.wilds and not self.at(text, found - at):
            found = text.find(literal, found + 1, last)
        return found - at if found >= 0 else -1


class Wildcards:
    """A pattern, prepared once."""

    __slots__ = ("_pieces", "_work")

    def __init__(self, pattern: str) -> None:
        self._pieces = [_Piece(characters) for characters in _split(pattern)]
        self._work = sum(piece.work for piece in self._pieces[1:-1])

    def work(self, length: int) -> int:
        """The most characters that are looked at in a text of this length, beside itself."""
        return _LITERAL_COST * len(self._pieces) + length * self._work

    def match(self, text: str) -> list[Span] | None:
        """Where each wildcard matched, if the pattern fits the whole text."""
        first, *others = self._pieces
        if not others:
            fits = len(text) == first.length and first.at(text, 0)
            return [(at, at + 1) for at in first.wilds] if fits else None
        last = others.pop()
        end = len(text) - last.length
        if end < first.length or not first.at(text, 0) or not last.at(text, end):
            return None
        spans = [(at, at + 1) for at in first.wilds]
        position = first.length
        for piece in others:
            found = piece.after(text, position, end)
            if found < 0:
                return None
            spans.append((position, found))
            spans += [(found + at, found + at + 1) for at in piece.wilds]
            position = found + piece.length
        spans.append((position, end))
        spans += [(end + at, end + at + 1) for at in last.wilds]
        return spans


def _split(pattern: str) -> Iterator[str | list[str | None]]:
    """The characters between the stars; None is a question mark, a str has none."""
    if "\\" not in pattern:
        for text in pattern.split("*"):
            yield [None if one == "?" else one for one in text] if "?" in text else text
        return
    piece: list[str | None] = []
    characters = iter(pattern)
    for character in characters:
        if character == "*":
            yield piece
            piece = []
        elif character == "?":
            piece.append(None)
        else:
            # a backslash at the end stands for itself
            piece.append(next(characters, "\\") if character == "\\" else character)
    yield piece
