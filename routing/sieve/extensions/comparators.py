"""The comparators i;ascii-numeric (RFC 4790 §9.1) and i;unicode-casemap (RFC 5051)."""

import re
from unicodedata import normalize

from routing.sieve.language import Extension
from routing.sieve.matching import Comparator

_PIECE = 500
_DIGITS = re.compile(r"0*([0-9]*)")


def _number(text: str) -> tuple[int, int, str]:
    """Orders as the number at the beginning of the text, of any length; a text that begins with no digit is infinite.

    Neither converted nor bounded: its length, then its digits.
    """
    if not "0" <= text[:1] <= "9":
        return (1, 0, "")
    match = _DIGITS.match(text)
    digits = match[1] if match is not None else ""
    return (0, len(digits), digits)


def _casemap(text: str) -> str:
    """In capitals, decomposed (RFC 5051 §2); in pieces, since thousands of combining marks in a row would take seconds."""
    if text.isascii():
        return text.upper()
    capitals = text.upper()
    pieces = (capitals[at : at + _PIECE] for at in range(0, len(capitals), _PIECE))
    return "".join(normalize("NFKD", piece) for piece in pieces)


NUMERIC = Extension(
    "comparator-i;ascii-numeric", comparators=(Comparator("i;ascii-numeric", _number, None),)
)
CASEMAP = Extension(
    "comparator-i;unicode-casemap",
    # one character may become eighteen
    comparators=(Comparator("i;unicode-casemap", _casemap, _casemap, cost=16),),
)
