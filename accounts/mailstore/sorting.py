"""SORT: the UIDs of a folder by criteria (RFC 5256 §3, RFC 5957, RFC 6203 §6)."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from accounts.mailstore.folder_columns import Columns, Name, columns_of
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


def sort_uids(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[int],
    criteria: Sequence[tuple[str, bool]],
    scores: Mapping[int, int],
    total: int,
) -> list[int]:
    """The ascending `uids` by `criteria` (name, is reversed), of which the last are the order by UID.

    RELEVANCY, the highest first, takes its `scores` from the caller. UIDs that are gone are left out.
    `total`: how many messages the folder has.
    """
    names = {CRITERIA[name] for name, _ in criteria if name in CRITERIA} or {"arrival"}
    columns = columns_of(db, owner, folder_id, names, uids, total)
    order = places_of(columns, uids)
    for name, is_reverse in reversed(criteria):
        if name == "RELEVANCY":
            order.sort(key=lambda place: scores[columns.uids[place]], reverse=not is_reverse)
        else:
            order.sort(key=columns.values[CRITERIA[name]].__getitem__, reverse=is_reverse)
    return [columns.uids[place] for place in order]


def places_of(columns: Columns, uids: Sequence[int]) -> list[int]:
    """Where the ascending `uids` stand in the columns."""
    if len(uids) == len(columns.uids) and columns.uids.tolist() == list(uids):
        return list(range(len(uids)))
    place = dict(zip(columns.uids, range(len(columns.uids)), strict=True))
    return [place[uid] for uid in uids if uid in place]
