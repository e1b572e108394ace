"""Of which messages a client that comes back wants to hear (RFC 7162 §3.2.5-6), pure.

UIDs are ranges here, sorted and apart, since a client may name all 2**32 of them.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from transport.imap.wire.commands.types import Resync
from transport.imap.wire.sequence import SequenceSet

Span = tuple[int, int]


def missing(uids: Sequence[int], uid_next: int) -> list[Span]:
    """The UIDs below `uid_next` that the sorted `uids` leave out: all that ever went."""
    gaps = []
    expected = 1
    for uid in uids:
        if uid > expected:
            gaps.append((expected, uid - 1))
        expected = uid + 1
    if expected < uid_next:
        gaps.append((expected, uid_next - 1))
    return gaps


def intersection(first: Sequence[Span], second: Sequence[Span]) -> list[Span]:
    """What both hold."""
    common = []
    one = two = 0
    while one < len(first) and two < len(second):
        low = max(first[one][0], second[two][0])
        high = min(first[one][1], second[two][1])
        if low <= high:
            common.append((low, high))
        if first[one][1] < second[two][1]:
            one += 1
        else:
            two += 1
    return common


def holds(spans: Sequence[Span], number: int) -> bool:
    place = bisect_right(spans, number, key=lambda span: span[0]) - 1
    return place >= 0 and number <= spans[place][1]


def known_through(resync: Resync, uids: Sequence[int]) -> int:
    """The highest UID up to which the client's numbers show that it knows of every expunge (§3.2.5.2)."""
    if resync.numbers is None or resync.uids is None:
        return 0
    through = 0
    for number, uid in zip(_each(resync.numbers), _each(resync.uids), strict=False):
        if number > len(uids):
            break
        if uids[number - 1] == uid:
            through = max(through, uid)
    return through


def known_spans(resync: Resync, uid_next: int) -> Sequence[Span]:
    """The UIDs of which the client wants to hear."""
    if resync.known_uids is None:
        return [(1, uid_next - 1)] if uid_next > 1 else []
    return resync.known_uids.resolve(0)


def _each(numbers: SequenceSet) -> Iterator[int]:
    """In the order written, one by one: the client bounds nothing."""
    for low, high in numbers.ranges:
        yield from range(low, high + 1)
