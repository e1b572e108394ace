"""How a command's entries are cut into transactions, what they count for in their folder, and numbers that come packed."""

import sys
from array import array
from collections.abc import Sequence
from typing import Any, TypeVar

from accounts.mailstore.flagbits import DELETED, SEEN

CHUNK = 5000
T = TypeVar("T")


def chunks(items: Sequence[T]) -> list[list[T]]:
    """`items` in lists of at most CHUNK."""
    return [list(items[start : start + CHUNK]) for start in range(0, len(items), CHUNK)]


def count_rows(rows: Sequence[tuple[Any, ...]]) -> dict[str, int]:
    """What rows of (uid, flags, message, size, ...) count for in a folder."""
    return {
        "count": len(rows),
        "unseen": sum(not row[1] & SEEN for row in rows),
        "deleted": sum(bool(row[1] & DELETED) for row in rows),
        "size": sum(row[3] for row in rows),
    }


def unpack(packed: bytes | None) -> "array[int]":
    """The numbers of `string_agg(int8send(…), NULL)`: rows of as many would cost five times as much."""
    numbers = array("q")
    numbers.frombytes(packed or b"")
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers
