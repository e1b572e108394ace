"""THREAD over a folder: the columns that the algorithms compare, and the tree of UIDs. RFC 5256 §3.

Webmail asks for the threads of a whole folder with every page: the last few answers are kept until their columns change.
"""

from collections.abc import Sequence
from typing import Any

import psycopg

from accounts.mailstore.folder_columns import Name, columns_of
from accounts.mailstore.kept_answers import KeptAnswers
from accounts.mailstore.sorting import places_of
from accounts.mailstore.threads import Forest, by_references, by_subject
from accounts.mailstore.values import FolderId, MailboxId

_COLUMNS: dict[str, tuple[Name, ...]] = {
    "ORDEREDSUBJECT": ("date", "subject"),
    "REFERENCES": ("message_id", "references", "date", "subject", "is_reply"),
}

_forests = KeptAnswers[Forest]()


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
    key = (folder_id, algorithm)
    forest = _forests.get(key, columns)
    if forest is None:
        forest = _forest(algorithm, picked)
        _forests.keep(key, columns, forest)
    return columns.uids, forest


def _forest(algorithm: str, picked: Sequence[Sequence[Any]]) -> Forest:
    return by_references(*picked) if algorithm == "REFERENCES" else by_subject(*picked)
