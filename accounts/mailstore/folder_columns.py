"""What SORT and THREAD compare, by folder, kept in the process: of a UID none of it ever changes (RFC 9051 §2.3.1.1).

A folder's columns are read once, packed, and then only what came since. UIDs appear in ascending order, since writers of
one mailbox take turns. What is expunged stays until it outweighs the rest. (`manage.py rerender` may derive a column
anew: a process that knows the old one forgets it with time.)
"""

from array import array
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal

import psycopg

from accounts.mailstore.numbering import unpack
from accounts.mailstore.search_texts import collation_key
from accounts.mailstore.values import FolderId, MailboxId

Name = Literal[
    "arrival",  # int: microseconds
    "date",  # int: sent_at, or when there is none the time of arrival here
    "size",  # int
    "subject",  # str: the base subject; this and the next as they collate
    "from",  # str, and so on: local part of the first address
    "to",
    "cc",
    "display_from",  # str: as RFC 5957 says
    "display_to",
    "message_id",  # str
    "references",  # str: ids with a space between
    "is_reply",  # one str: "t" or "f" for each
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
}
_LETTERS = {"is_reply": "left(m.is_reply::text, 1)"}
_EXPRESSIONS = {**_NUMBERS, **_TEXTS, **_LETTERS}
_SEPARATORS = {
    **dict.fromkeys(_NUMBERS, "NULL"),
    **dict.fromkeys(_TEXTS, "chr(10)"),
    **dict.fromkeys(_LETTERS, "''"),
}
_BYTES_MAXIMUM = 64 << 20
_FEW = 1000
"""So many are read by themselves, rather than the whole folder."""
_ASKED_IN_TURN: frozenset[Name] = frozenset(("date", "subject"))
"""Who sorts by one of them sorts by the other soon, and to go through the messages costs more than either column."""
_TEXT_OVERHEAD = 57  # octets of a str and its place in a list


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Columns:
    """Parallel sequences, in order of UID."""

    uids: "array[int]"
    values: Mapping[Name, Sequence[Any]]

    @property
    def octets(self) -> int:
        """About what it takes of memory, at most."""
        total = 8 * len(self.uids)
        for name, column in self.values.items():
            total += 8 * len(column)
            if name in _TEXTS:
                total += sum(map(len, column)) + _TEXT_OVERHEAD * len(column)
        return total

    def joined(self, later: "Columns") -> "Columns":
        """These and those of later UIDs."""
        values: dict[Name, Sequence[Any]] = {
            name: column + later.values[name]  # type: ignore[operator]  # two of one kind
            for name, column in self.values.items()
        }
        return Columns(self.uids + later.uids, values)


_cache: OrderedDict[FolderId, tuple[Columns, int]] = OrderedDict()
_lock = Lock()


def columns_of(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    names: Iterable[Name],
    uids: Sequence[int],
    total: int,
) -> Columns:
    """These columns of (at least) the ascending `uids`, as far as they exist, in a folder of `total` messages."""
    wanted = set(names)
    with _lock:
        known = _cache[folder_id][0] if folder_id in _cache else None
        if known is not None:
            _cache.move_to_end(folder_id)
    knows_all = known is not None and wanted <= known.values.keys() and known.uids[-1] >= uids[-1]
    if len(uids) <= _FEW and not knows_all:
        return _read(db, owner, folder_id, wanted, "e.uid = ANY(%s)", [list(uids)])
    if wanted & _ASKED_IN_TURN:
        wanted |= _ASKED_IN_TURN
    if known is None or len(known.uids) > 2 * total + 1000:
        columns = _read_up_to(db, owner, folder_id, wanted, 0, uids[-1])
    else:
        columns = _completed(db, owner, folder_id, wanted, known)
        last = columns.uids[-1] if columns.uids else 0
        if uids[-1] > last:
            later = _read_up_to(db, owner, folder_id, set(columns.values), last, uids[-1])
            columns = columns.joined(later) if later.uids else columns
    if columns is not known and columns.uids:
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
    if not missing:
        return known
    more = _read_up_to(db, owner, folder_id, missing, 0, known.uids[-1])
    if more.uids == known.uids:
        return Columns(known.uids, {**known.values, **more.values})
    # Some were expunged since.
    return _read_up_to(db, owner, folder_id, wanted | set(known.values), 0, known.uids[-1])


def _read_up_to(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    names: set[Name],
    after: int,
    last: int,
) -> Columns:
    return _read(db, owner, folder_id, names, "e.uid > %s AND e.uid <= %s", [after, last])


def _read(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    names: set[Name],
    which: str,
    parameters: list[Any],
) -> Columns:
    """Packed into one row: 100,000 rows would cost five times as much. Put into order here, where they mostly are."""
    ordered = sorted(names)
    inner = ", ".join(f"{_EXPRESSIONS[name]} AS c{i}" for i, name in enumerate(ordered))
    outer = ", ".join(f"string_agg(c{i}, {_SEPARATORS[name]})" for i, name in enumerate(ordered))
    row = db.execute(
        f"""
        SELECT string_agg(int8send(uid), NULL), {outer} FROM (
            SELECT e.uid, {inner} FROM mail_entry e
                JOIN mail_message m ON m.owner_id = e.owner_id AND m.id = e.message_id
            WHERE e.owner_id = %s AND e.folder_id = %s AND {which}) AS o
        """,
        [owner, folder_id, *parameters],
        prepare=False,  # planned for this folder's size
        binary=True,
    ).fetchone()
    packed, *columns = row or (None,)
    uids = unpack(packed)
    values = {name: _values(column, name) for name, column in zip(ordered, columns, strict=True)}
    if uids.tolist() == sorted(uids):
        return Columns(uids, values)
    order = sorted(range(len(uids)), key=uids.__getitem__)
    return Columns(
        array("q", map(uids.__getitem__, order)),
        {name: _picked(column, order) for name, column in values.items()},
    )


def _values(packed: Any, name: Name) -> Sequence[Any]:
    if name in _NUMBERS:
        return unpack(packed)
    if name in _LETTERS:
        return str(packed or "")
    texts: list[str] = [] if packed is None else packed.split("\n")
    if name == "message_id":
        return texts
    known: dict[str, str] = {}  # equal ones are one object
    if name == "references":
        return [known.setdefault(text, text) for text in texts]
    return [known.get(text) or known.setdefault(text, collation_key(text)) for text in texts]


def _picked(column: Sequence[Any], order: Sequence[int]) -> Sequence[Any]:
    picked = map(column.__getitem__, order)
    if isinstance(column, str):
        return "".join(picked)
    return array("q", picked) if isinstance(column, array) else list(picked)


def _keep(folder_id: FolderId, columns: Columns) -> None:
    octets = columns.octets
    with _lock:
        _cache.pop(folder_id, None)
        if octets <= _BYTES_MAXIMUM:
            _cache[folder_id] = (columns, octets)
        while sum(kept for _, kept in _cache.values()) > _BYTES_MAXIMUM:
            _cache.popitem(last=False)
