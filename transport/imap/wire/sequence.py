"""Sequence sets (RFC 9051 §9 `sequence-set`; `$`: RFC 5182), pure."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

STAR = 0xFFFFFFFF + 1
"""What `*` parses to: larger than any number, so that `resolve` can put the largest in its place."""

RANGES_MAXIMUM = 20_000

# seq-number = nz-number / "*"; sequence-set = (seq-number / seq-range) *("," sequence-set)
_NUMBER = rb"(?:[1-9][0-9]{0,9}|\*)"
_SET = re.compile(rb"%b(?::%b)?(?:,%b(?::%b)?)*" % (_NUMBER, _NUMBER, _NUMBER, _NUMBER))


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """Ranges as the client wrote them, each with its lower end first; `STAR` stands for `*`.

    `is_saved` is `$`, the saved result of a SEARCH, which the selected folder knows (`Selection.places`).
    """

    ranges: tuple[tuple[int, int], ...]
    is_saved: bool = False

    @property
    def size(self) -> int:
        """How many numbers are written, where none is `*`."""
        return sum(high - low + 1 for low, high in self.ranges)

    def resolve(self, largest: int) -> tuple[tuple[int, int], ...]:
        """Sorted ranges that do not overlap, with `largest` in the place of `*`.

        With `largest` 0 (an empty folder) `*` matches nothing, and `5:*` is 5 and up (§6.4.8 of RFC 9051
        says of UIDs that `n:*` always holds the last message, even if n is greater).
        """
        spans = []
        for low, high in self.ranges:
            low = largest if low == STAR else low
            high = largest if high == STAR else high
            if low > high:
                low, high = high, low
            if high:
                spans.append((max(low, 1), high))
        return merge(spans)

    def select(self, uids: Sequence[int]) -> list[int]:
        """The indexes into the sorted `uids` whose UID is in the set."""
        chosen: list[int] = []
        for low, high in self.resolve(uids[-1] if uids else 0):
            chosen.extend(range(bisect_left(uids, low), bisect_right(uids, high)))
        return chosen

    def numbers(self, count: int) -> list[int]:
        """The zero-based indexes of these sequence numbers in a folder of `count` messages.

        Raises IndexError for a number past the end, which RFC 9051 §9 (`seq-number`) calls a protocol error. `n:*`
        is forgiven: it is the last message, or nothing in an empty folder.
        """
        for _, high in self.ranges:
            if high != STAR and high > count:
                raise IndexError(high)
        return [
            number - 1
            for low, high in self.resolve(count)
            for number in range(min(low, count), min(high, count) + 1)
            if number
        ]


SAVED = SequenceSet((), is_saved=True)


def parse_sequence_set(buffer: bytes, position: int) -> tuple[SequenceSet, int] | None:
    """The set at `position` and the position after it, or None when there is none."""
    if buffer[position : position + 1] == b"$":
        return SAVED, position + 1
    match = _SET.match(buffer, position)
    if match is None:
        return None
    ranges: list[tuple[int, int]] = []
    for item in match.group().split(b","):
        low, _, high = item.partition(b":")
        first = _number(low)
        last = _number(high) if high else first
        if max(first, last) > STAR or len(ranges) >= RANGES_MAXIMUM:
            return None
        ranges.append((first, last) if first <= last else (last, first))
    return SequenceSet(tuple(ranges)), match.end()


def format_numbers(numbers: Iterable[int]) -> bytes:
    """A sequence set that keeps the order of `numbers`: `1:3,5`. COPYUID pairs sources and copies."""
    return b",".join(
        b"%d" % low if low == high else b"%d:%d" % (low, high) for low, high in spans_of(numbers)
    )


def spans_of(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Runs of consecutive numbers, in the order given."""
    spans: list[tuple[int, int]] = []
    first = last = -1
    for number in numbers:
        if number == last + 1 and first >= 0:
            last = number
            continue
        if first >= 0:
            spans.append((first, last))
        first = last = number
    if first >= 0:
        spans.append((first, last))
    return spans


def merge(spans: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The same numbers in sorted ranges that neither overlap nor touch."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1] + 1:
            if high > merged[-1][1]:
                merged[-1] = (merged[-1][0], high)
        else:
            merged.append((low, high))
    return tuple(merged)


def _number(text: bytes) -> int:
    """Above STAR where it has more than 32 bits: 4294967296 is not `*`."""
    if text == b"*":
        return STAR
    number = int(text)
    return number if number < STAR else STAR + 1
