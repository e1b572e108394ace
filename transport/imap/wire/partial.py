"""`PARTIAL first:last`: a part of a result (RFC 9394 §3.1), pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from transport.imap.wire.cursor import Cursor, ImapSyntaxError

T = TypeVar("T")

# partial-range = nz-number ":" nz-number / MINUS nz-number ":" MINUS nz-number
_RANGE = re.compile(rb"(-?)([1-9][0-9]{0,9}):(-?)([1-9][0-9]{0,9})")


@dataclass(frozen=True, slots=True)
class PartialRange:
    """The lower and the higher place in a result, counted from 1, or with `from_end` from the last one back."""

    text: bytes
    low: int
    high: int
    from_end: bool

    def of(self, found: Sequence[T]) -> Sequence[T]:
        """What is in the range, in the order of `found`."""
        if self.from_end:
            count = len(found)
            return found[max(0, count - self.high) : max(0, count - self.low + 1)]
        return found[self.low - 1 : self.high]


def parse_partial(cursor: Cursor) -> PartialRange:
    """The range after `PARTIAL `."""
    match = _RANGE.match(cursor.buffer, cursor.position)
    if match is None or match[1] != match[3]:
        raise ImapSyntaxError("bad partial range")
    cursor.position = match.end()
    low, high = sorted((int(match[2]), int(match[4])))
    if high > 0xFFFFFFFF:
        raise ImapSyntaxError("bad partial range")
    return PartialRange(match.group(), low, high, bool(match[1]))
