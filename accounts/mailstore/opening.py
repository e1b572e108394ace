"""A folder by its name, for one who remembers how it was: what changed since, in one round trip."""

from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.changes import Changes, Snapshot, changes_of, snapshot
from accounts.mailstore.folder_names import canonical_name
from accounts.mailstore.locking import STATE_COLUMNS, folder_state
from accounts.mailstore.prepared import Prepared
from accounts.mailstore.values import FolderId, MailboxId, ModSeq, NoSuchFolder

COMMANDS_MAXIMUM = 1000
"""After more changes than these it is cheaper to read the folder."""

_BY_NAME = Prepared(
    f"""
    SELECT {STATE_COLUMNS}, ARRAY(
        SELECT c.kind || ' ' || c.uids FROM mail_change c
        WHERE c.owner_id = %b AND c.folder_id = %b AND c.modseq > %b AND c.reader_id IS NULL
        LIMIT {COMMANDS_MAXIMUM + 1}
    )
    FROM mail_folder f WHERE f.owner_id = %b AND f.name = %b
    """,
    int, int, int, int, str,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Remembered:
    """Which folder had the name, and as of which modseq its entries are known."""

    folder_id: FolderId
    modseq: ModSeq


def open_remembered(
    db: psycopg.Connection[Any], owner: MailboxId, name: str, remembered: Remembered | None
) -> Snapshot | Changes:
    """The whole folder, or what changed in it since it was remembered, for its owner. Raises NoSuchFolder.

    One round trip when nothing changed, two otherwise.
    """
    if "\0" in name:
        raise NoSuchFolder
    folder_id, modseq = (
        (remembered.folder_id, remembered.modseq) if remembered else (FolderId(0), ModSeq(0))
    )
    row = _BY_NAME.row(db, owner, folder_id, modseq, owner, canonical_name(name))
    if row is None:
        raise NoSuchFolder
    *columns, lines = row
    state = folder_state(tuple(columns))
    if state.id != folder_id or modseq < state.min_modseq or len(lines) > COMMANDS_MAXIMUM:
        return snapshot(db, owner, state.id)
    return changes_of(db, state, lines, modseq, owner)
