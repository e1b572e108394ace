"""A folder by its name, for its owner who remembers how it was: what changed since, in one round trip."""

from dataclasses import dataclass

from accounts.mailstore.changes import told
from accounts.mailstore.locking import STATE_COLUMNS
from accounts.mailstore.prepared import Prepared, Row
from accounts.mailstore.values import FolderId, FolderState, ModSeq

COMMANDS_MAXIMUM = 1000
"""After more changes than these it is cheaper to read the folder."""

BY_NAME = Prepared(
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
"""The folder's state and the lines of mail_change, by (owner, folder id, modseq, owner, name), for `opened`."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """Which folder had the name, and as of which modseq its entries are known."""

    folder_id: FolderId
    modseq: ModSeq


NOTHING = Remembered(FolderId(0), ModSeq(0))


def opened(row: Row | None, remembered: Remembered) -> tuple[FolderState, list[str] | None]:
    """The folder that `BY_NAME` found, and the lines of what changed since it was remembered.

    No lines: it is not the one remembered, or too much changed; it is to be read whole. Raises NoSuchFolder.
    """
    state, lines = told(row)
    knows = state.id == remembered.folder_id and remembered.modseq >= state.min_modseq
    return state, lines if knows and len(lines) <= COMMANDS_MAXIMUM else None
