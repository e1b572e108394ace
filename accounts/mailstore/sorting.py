"""SORT: the messages of a folder by criteria (RFC 5256 §3, RFC 5957, RFC 6203 §6)."""

from array import array
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from accounts.mailstore.folder_columns import Columns, Name, columns_of
from accounts.mailstore.kept_answers import KeptAnswers
from accounts.mailstore.values import FolderId, MailboxId

CRITERIA: dict[str, Name] = {
    "ARRIVAL": "arrival",
    "CC": "cc",
    "DATE": "date",
    "FROM": "from",
    "SIZE": "size",
    "SUBJECT": "subject",
    "TO": "to",
    "DISPLAYFROM": "display_from",
    "DISPLAYTO": "display_to",
}


_orders = KeptAnswers["array[int]"]()


def sort_places(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[int],
    criteria: Sequence[tuple[str, bool]],
    scores: Mapping[int, int],
    total: int,
) -> Sequence[int]:
    """The places of the ascending `uids` in the order of `criteria` (name, is reversed); equal ones in order of UID.

    RELEVANCY, the highest first, takes its `scores` by UID from the caller. UIDs that are gone are left out.
    `total`: how many messages the folder has.
    """
    names = {CRITERIA[name] for name, _ in criteria if name in CRITERIA} or {"arrival"}
    columns = columns_of(db, owner, folder_id, names, uids, total)
    if not isinstance(uids, array) or columns.uids != uids:
        place = dict(zip(uids, range(len(uids)), strict=True))
        order = _in_order(columns, places_of(columns, uids), criteria, scores)
        return [place[columns.uids[at]] for at in order]
    if scores:
        return _in_order(columns, list(range(len(uids))), criteria, scores)
    key = (folder_id, tuple(criteria))
    kept = _orders.get(key, columns)
    if kept is None:
        kept = array("i", _in_order(columns, list(range(len(uids))), criteria, scores))
        _orders.keep(key, columns, kept)
    return kept


def _in_order(
    columns: Columns,
    order: list[int],
    criteria: Sequence[tuple[str, bool]],
    scores: Mapping[int, int],
) -> list[int]:
    """These ascending places in the columns, sorted."""
    for name, is_reverse in reversed(criteria):
        if name == "RELEVANCY":
            order.sort(key=lambda place: scores[columns.uids[place]], reverse=not is_reverse)
        else:
            order.sort(key=columns.values[CRITERIA[name]].__getitem__, reverse=is_reverse)
    return order


def places_of(columns: Columns, uids: Sequence[int]) -> list[int]:
    """Where the ascending `uids` stand in the columns."""
    if len(uids) == len(columns.uids) and columns.uids == array("q", uids):
        return list(range(len(uids)))
    place = dict(zip(columns.uids, range(len(columns.uids)), strict=True))
    return [place[uid] for uid in uids if uid in place]
