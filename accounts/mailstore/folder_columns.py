"""What SORT and THREAD compare, by folder, kept in the process: of a UID none of it ever changes (RFC 9051 §2.3.1.1).

A folder's columns are read once, packed, and then only what came since. UIDs appear in ascending order, since writers of
one mailbox take turns. What is expunged stays until it outweighs the rest. (`manage.py rerender` may derive a column
anew: a process that knows the old one forgets it with time.)
"""

import sys
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from threading import Lock
from typing import Any, Literal

import psycopg

from accounts.mailstore.values import FolderId, MailboxId

Name = Literal[
    "arrival",  # int: microseconds
    "date",  # int: sent_at, or when there is none the time of arrival here
    "size",  # int
    "subject",  # str: the base subject
    "from",  # str, and so on: local part of the first address
    "to",
    "cc",
    "display_from",  # str: as RFC 5957 says
    "display_to",
    "message_id",  # str
    "references",  # str: ids with a space between
    "is_reply",  # str: "t" or "f"
]
_NUMBERS = {
    "arrival": "timestamptz_send(e.internal_date)",
    "date": "timestamptz_send(m.sent_at)",
    "size": "int8send(m.size)",
}
_TEXTS = {
    "subject": "m.base_subject",
    "from": "m.sort_from",
    "to": "m.sort_to",
    "cc": "m.sort_cc",
    "display_from": "m.display_from",
    "display_to": "m.display_to",
    "message_id": "m.message_id",
    "references": "array_to_string(m.reference_ids, ' ')",
    "is_reply": "left(m.is_reply::text, 1)",
}
_BYTES_MAXIMUM = 64 << 20
_TEXT_OVERHEAD = 57  # octets of a str and its place in a list


@dataclass(frozen=True, slots=True)
class Columns:
    """Parallel sequences, in order of UID."""

    uids: "array[int]"
    values: Mapping[Name, Sequence[Any]]

    @property
    def octets(self) -> int:
        """About what it takes of memory."""
        total = 8 * len(self.uids)
        for name, column in self.values.items():
            total += 8 * len(column)
            if name in _TEXTS:
                total += sum(len(text) + _TEXT_OVERHEAD for text in set(column))
        return total

    def joined(self, later: "Columns") -> "Columns":
        """These and those of later UIDs."""
        values: dict[Name, Sequence[Any]] = {}
        for name, column in self.values.items():
            values[name] = _shared(chain(column, later.values[name]), name)
        return Columns(self.uids + later.uids, values)


_cache: OrderedDict[FolderId, tuple[Columns, int]] = OrderedDict()
_lock = Lock()


def columns_of(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    names: Iterable[Name],
    uids: Sequence[int],
) -> Columns:
    """These columns of (at least) the ascending `uids`, as far as they exist."""
    wanted = set(names)
    with _lock:
        known, _ = _cache.get(folder_id, (None, 0))
    if known is None or len(known.uids) > 2 * len(uids) + 1000:
        columns = _read(db, owner, folder_id, wanted, 0, uids[-1])
    else:
        columns = _completed(db, owner, folder_id, wanted, known)
        if uids[-1] > (columns.uids[-1] if columns.uids else 0):
            last = columns.uids[-1] if columns.uids else 0
            later = _read(db, owner, folder_id, set(columns.values), last, uids[-1])
            columns = columns.joined(later) if later.uids else columns
    if columns is not known:
        _keep(folder_id, columns)
    return columns


def _completed(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    wanted: set[Name],
    known: Columns,
) -> Columns:
    """What is known with the columns that are missing."""
    missing = wanted - set(known.values)
    if not missing or not known.uids:
        return known if not missing else Columns(known.uids, dict.fromkeys(wanted, ()))
    more = _read(db, owner, folder_id, missing, 0, known.uids[-1])
    if more.uids == known.uids:
        return Columns(known.uids, {**known.values, **more.values})
    return _read(db, owner, folder_id, wanted | set(known.values), 0, known.uids[-1])


def _read(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    names: set[Name],
    after: int,
    last: int,
) -> Columns:
    """Packed into one row: 100,000 rows would cost five times as much."""
    ordered = sorted(names)
    inner = ", ".join(
        f"{_NUMBERS.get(name) or _TEXTS[name]} AS c{i}" for i, name in enumerate(ordered)
    )
    outer = ", ".join(
        f"string_agg(c{i}, {'NULL' if name in _NUMBERS else chr(39) + chr(10) + chr(39)})"
        for i, name in enumerate(ordered)
    )
    row = db.execute(
        f"""
        SELECT string_agg(int8send(uid), NULL), {outer} FROM (
            SELECT e.uid, {inner} FROM mail_entry e
                JOIN mail_message m ON m.owner_id = e.owner_id AND m.id = e.message_id
            WHERE e.owner_id = %s AND e.folder_id = %s AND e.uid > %s AND e.uid <= %s
            ORDER BY e.uid) AS o
        """,
        [owner, folder_id, after, last],
        prepare=False,  # planned for this folder's size
        binary=True,
    ).fetchone()
    packed, *columns = row or (None,)
    if packed is None:
        return Columns(array("q"), dict.fromkeys(ordered, ()))
    values: dict[Name, Sequence[Any]] = {}
    for name, column in zip(ordered, columns, strict=True):
        values[name] = _unpack(column) if name in _NUMBERS else _shared(column.split("\n"), name)
    return Columns(_unpack(packed), values)


def _shared(values: Iterable[Any], name: Name) -> Sequence[Any]:
    """Equal texts as one object."""
    if name in _NUMBERS:
        return array("q", values)
    if name == "message_id":
        return list(values)
    known: dict[str, str] = {}
    return [known.setdefault(text, text) for text in values]


def _unpack(packed: bytes) -> "array[int]":
    numbers = array("q")
    numbers.frombytes(packed)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def _keep(folder_id: FolderId, columns: Columns) -> None:
    octets = columns.octets
    with _lock:
        _cache.pop(folder_id, None)
        if octets <= _BYTES_MAXIMUM:
            _cache[folder_id] = (columns, octets)
        while sum(kept for _, kept in _cache.values()) > _BYTES_MAXIMUM:
            _cache.popitem(last=False)
