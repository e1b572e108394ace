"""What IMAP commands did to an owner's mail, in their order, for the scripts that follow them (RFC 6785 §2.2).

An owner's events are written in the owner's turn: they become visible in the order of their ids.
"""

from dataclasses import dataclass
from typing import Any, Literal

import psycopg

from accounts.mailstore.values import FolderId, MailboxId, MessageId

Cause = Literal["APPEND", "COPY", "FLAG"]

_CAUSES: dict[str, Cause] = {"arrival": "APPEND", "copy": "COPY", "move": "COPY", "flags": "FLAG"}


@dataclass(frozen=True, slots=True)
class ImapEvent:
    """`folder` is where the messages are; `flags` those that a FLAG command named. `cause` None: no script follows it."""

    id: int
    cause: Cause | None
    folder: FolderId
    messages: tuple[MessageId, ...]
    flags: tuple[str, ...]


def imap_events(
    db: psycopg.Connection[Any], owner: MailboxId, first: int, limit: int
) -> list[ImapEvent]:
    """The events with this id and later, those without a cause too."""
    rows = db.execute(
        """
        SELECT id, CASE WHEN cause = 'imap' THEN kind ELSE '' END,
            COALESCE(target_folder_id, folder_id),
            CASE WHEN cause = 'imap' THEN message_ids ELSE '{}' END, detail -> 'flags'
        FROM mail_event WHERE owner_id = %s AND id >= %s ORDER BY id LIMIT %s
        """,
        (owner, first, limit),
        prepare=True,
        binary=True,
    ).fetchall()
    return [
        ImapEvent(
            number,
            _CAUSES.get(kind),
            FolderId(folder),
            tuple(map(MessageId, messages)),
            tuple(map(str, flags or ())),
        )
        for number, kind, folder, messages, flags in rows
    ]
