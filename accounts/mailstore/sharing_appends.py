"""APPEND and REPLACE into a folder of another (RFC 4314 §4): with the flags that the reader may set there."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg

from accounts.mailstore.append import append_message, append_messages
from accounts.mailstore.expunging import Expunged
from accounts.mailstore.replacing import replace_message
from accounts.mailstore.sharing import Reach, require
from accounts.mailstore.sharing_flags import keep_seen, permitted_flags
from accounts.mailstore.values import (
    Appended,
    FolderId,
    MailboxId,
    NewMessage,
    Placement,
    Uid,
)


def append_as(
    db: psycopg.Connection[Any],
    target: Reach,
    messages: Sequence[tuple[NewMessage, Placement]],
    *,
    cause: str,
) -> tuple[Appended, ...]:
    """Store the messages, all or none, where `target` was reached. Raises OverQuota, NoSuchFolder."""
    if not target.is_own:
        with db.transaction():
            placed = [(message, _permitted(target, place)) for message, place in messages]
            appended = append_messages(db, placed, cause=cause)
            for one, (_, place) in zip(appended, messages, strict=True):
                _keep_seen(db, target, one, place)
            return appended
    if len(messages) > 1:
        return append_messages(db, messages, cause=cause)
    [(message, place)] = messages
    return append_message(db, message, [place], cause=cause)


def replace_as(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uid: Uid,
    target: Reach,
    message: NewMessage,
    placement: Placement,
    *,
    cause: str,
) -> tuple[Appended, Expunged] | None:
    """`replace_message` as the reader, who deletes the old one (`te`). Raises NoPermission and what it raises."""
    require(db, owner, folder_id, target.reader, "te")
    if target.is_own:
        return replace_message(db, owner, folder_id, uid, message, placement, cause=cause)
    with db.transaction():
        permitted = _permitted(target, placement)
        replaced = replace_message(db, owner, folder_id, uid, message, permitted, cause=cause)
        if replaced is not None:
            _keep_seen(db, target, replaced[0], placement)
        return replaced


def _permitted(target: Reach, placement: Placement) -> Placement:
    """Without \\Seen, which is the reader's own."""
    flags = permitted_flags(placement.flags, target.rights.replace("s", ""))
    return replace(placement, flags=flags)


def _keep_seen(
    db: psycopg.Connection[Any], target: Reach, appended: Appended, placement: Placement
) -> None:
    is_seen = "\\seen" in (flag.lower() for flag in placement.flags)
    if is_seen and "s" in target.rights:
        seen = {appended.uid: True}
        keep_seen(db, target.reader, appended.owner, appended.folder_id, appended.modseq, seen)
