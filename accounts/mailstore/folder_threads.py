"""THREAD over a folder: the columns that the algorithms compare, and the tree of UIDs. RFC 5256 §3.

Webmail asks for the threads of a whole folder with every page: the last few answers are kept until their columns change.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any
from weakref import ref

import psycopg

from accounts.mailstore.folder_columns import Columns, Name, columns_of
from accounts.mailstore.sorting import places_of
from accounts.mailstore.threads import Forest, by_references, by_subject
from accounts.mailstore.values import FolderId, MailboxId

_COLUMNS: dict[str, tuple[Name, ...]] = {
    "ORDEREDSUBJECT": ("date", "subject"),
    "REFERENCES": ("message_id", "references", "date", "subject", "is_reply"),
}

_FORESTS_KEPT = 4
_WORTH_KEEPING = range(1000, 200_000)
"""Messages in a folder: fewer are soon threaded, more take too much memory."""
_kept: OrderedDict[tuple[FolderId, str], tuple[ref[Columns], Forest]] = OrderedDict()
_lock = Lock()


def thread_uids(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[int],
    algorithm: str,
    total: int,
) -> tuple[Sequence[int], Forest]:
    """The ascending `uids` that are there, and the forest whose node n is the n-th of them.

    `total`: how many messages the folder has.
    """
    names = _COLUMNS[algorithm]
    columns = columns_of(db, owner, folder_id, names, uids, total)
    places = places_of(columns, uids)
    picked: list[Sequence[Any]] = [columns.values[name] for name in names]
    if len(places) < len(columns.uids):
        picked = [[column[place] for place in places] for column in picked]
        return [columns.uids[place] for place in places], _forest(algorithm, picked)
    kept = _kept.get((folder_id, algorithm))
    if kept is not None and kept[0]() is columns:
        forest = kept[1]
    else:
        forest = _forest(algorithm, picked)
        if len(places) in _WORTH_KEEPING:
            _keep((folder_id, algorithm), columns, forest)
    return columns.uids, forest


def _forest(algorithm: str, picked: Sequence[Sequence[Any]]) -> Forest:
    return by_references(*picked) if algorithm == "REFERENCES" else by_subject(*picked)


def _keep(key: tuple[FolderId, str], columns: Columns, forest: Forest) -> None:
    with _lock:
        _kept.pop(key, None)
        _kept[key] = (ref(columns), forest)
        if len(_kept) > _FORESTS_KEPT:
            _kept.popitem(last=False)
