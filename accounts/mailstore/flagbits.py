"""Flags as bits: an entry keeps them all in one bigint (RFC 9051 §2.3.2).

Bits 0 to 4 are the system flags; bit 5+i is the folder's `keywords[i]`. Flag names are compared without case.
Junk has several names among clients, and each client looks for its own: setting one of a side sets that side's
common names and clears the other side; clearing one clears the side.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SEEN, ANSWERED, FLAGGED, DELETED, DRAFT = 1, 2, 4, 8, 16
SYSTEM_FLAGS = {
    "\\seen": SEEN,
    "\\answered": ANSWERED,
    "\\flagged": FLAGGED,
    "\\deleted": DELETED,
    "\\draft": DRAFT,
}
SYSTEM_NAMES = ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft")
FIRST_KEYWORD_BIT = 5
KEYWORDS_MAXIMUM = 57
ALL_BITS = (1 << FIRST_KEYWORD_BIT + KEYWORDS_MAXIMUM) - 1
KEYWORD_LENGTH_MAXIMUM = 100

JUNK = ("$Junk", "Junk", "JunkRecorded")
NOT_JUNK = ("$NotJunk", "NonJunk", "NotJunk")
_JUNK_FOLDED = frozenset(name.lower() for name in JUNK)
_NOT_JUNK_FOLDED = frozenset(name.lower() for name in NOT_JUNK)


@dataclass(frozen=True, slots=True)
class FlagChange:
    """What to set and what to clear, as bits of one folder; `keywords` is the folder's list afterwards."""

    add: int
    remove: int
    keywords: tuple[str, ...]

    def apply(self, flags: int) -> int:
        """The flags afterwards."""
        return (flags & ~self.remove) | self.add


def split_flags(names: Iterable[str]) -> tuple[int, tuple[str, ...]]:
    """The system flags among `names` as bits, and the keywords, each once; \\Recent and unknown \\names drop out."""
    bits = 0
    keywords: dict[str, str] = {}
    for name in names:
        if name.startswith("\\"):
            bits |= SYSTEM_FLAGS.get(name.lower(), 0)
        else:
            keywords.setdefault(name.lower(), name)
    return bits, tuple(keywords.values())


def with_synonyms(keywords: Iterable[str]) -> tuple[str, ...]:
    """`keywords` to be set, with the common names of a junk side; where both sides are given the last one wins."""
    result: dict[str, str] = {}
    for name in keywords:
        folded = name.lower()
        side, other = _sides(folded)
        for gone in other:
            result.pop(gone.lower(), None)
        result.setdefault(folded, name)
        for also in side[:2]:
            result.setdefault(also.lower(), also)
    return tuple(result.values())


def opposites(keywords: Iterable[str]) -> tuple[str, ...]:
    """The names that setting `keywords` clears."""
    return tuple(name for keyword in keywords for name in _sides(keyword.lower())[1])


def same_side(keywords: Iterable[str]) -> tuple[str, ...]:
    """`keywords` to be cleared, with every synonym."""
    return tuple(name for keyword in keywords for name in (keyword, *_sides(keyword.lower())[0]))


def keyword_bits(known: Sequence[str], keywords: Iterable[str]) -> int:
    """The bits of those of `keywords` that the folder knows."""
    positions = {name.lower(): i for i, name in enumerate(known)}
    bits = 0
    for keyword in keywords:
        position = positions.get(keyword.lower())
        if position is not None:
            bits |= 1 << (FIRST_KEYWORD_BIT + position)
    return bits


def flag_names(flags: int, known: Sequence[str]) -> tuple[str, ...]:
    """The names of an entry's flags, system flags first."""
    names = [name for i, name in enumerate(SYSTEM_NAMES) if flags >> i & 1]
    keywords = flags >> FIRST_KEYWORD_BIT
    while keywords:
        lowest = keywords & -keywords
        names.append(known[lowest.bit_length() - 1])
        keywords ^= lowest
    return tuple(names)


def extended(known: Sequence[str], keywords: Iterable[str]) -> tuple[str, ...]:
    """The folder's keywords with new ones at the end; what does not fit is left out."""
    names = list(known)
    folded = {name.lower() for name in known}
    for keyword in keywords:
        is_new = keyword.lower() not in folded
        if is_new and len(names) < KEYWORDS_MAXIMUM and len(keyword) <= KEYWORD_LENGTH_MAXIMUM:
            names.append(keyword)
            folded.add(keyword.lower())
    return tuple(names)


def _sides(folded: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if folded in _JUNK_FOLDED:
        return JUNK, NOT_JUNK
    if folded in _NOT_JUNK_FOLDED:
        return NOT_JUNK, JUNK
    return (), ()
