"""Files messages of one folder that all go the same way, in one transaction: a kill leaves nothing half done.

What is copied is copied once: a folder that holds the message already does not get it again, so that to do it again
does no harm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.expunging import remove_entries
from accounts.mailstore.flags import store_flags
from accounts.mailstore.locking import take_turn
from accounts.mailstore.moving import copy_messages, move_messages
from accounts.mailstore.presence import also_in
from accounts.mailstore.values import FolderId, MailboxId, Uid
from transport.old_mail.folders import Place

CAUSE = "sieve"
LEFT = "left as they are"

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Way:
    """Where messages go, with the flags that are added there; and whether they stay, with `flags` added here."""

    stays: bool
    flags: tuple[str, ...] = ()
    targets: tuple[tuple[Place, tuple[str, ...]], ...] = ()
    is_discard: bool = False


STAYS = Way(stays=True)


@dataclass(frozen=True, slots=True)
class Filed:
    """What was done: with how many messages, in words; and the folders that are not as they were."""

    counts: tuple[tuple[str, int], ...]
    folders: tuple[FolderId, ...]


def imagine(way: Way, uids: Sequence[Uid]) -> Filed:
    """The words of what `file` would do."""
    counts = [(_words(way, place), len(uids)) for place, _ in way.targets]
    if way.stays and way.flags:
        counts.append((_flagged(way.flags), len(uids)))
    if way == STAYS:
        counts.append((LEFT, len(uids)))
    return Filed(tuple(counts), ())


def file(
    db: Connection, owner: MailboxId, source: FolderId, way: Way, uids: Sequence[Uid]
) -> Filed:
    """Raises NoSuchFolder, OverQuota, TooManyKeywords; then nothing was done."""
    if way == STAYS:
        return Filed(((LEFT, len(uids)),), ())
    counts: list[tuple[str, int]] = []
    folders: list[FolderId] = []
    with db.transaction():
        take_turn(db, owner)
        if way.stays and way.flags:
            stored = store_flags(db, owner, source, uids, "add", way.flags, cause=CAUSE)
            counts.append((_flagged(way.flags), len(stored.changed)))
        for number, (place, flags) in enumerate(way.targets, start=1):
            is_move = not way.stays and number == len(way.targets)
            there = also_in(db, owner, source, uids, place.id)
            absent = [uid for uid in uids if uid not in there]
            put = move_messages if is_move else copy_messages
            filed = put(db, owner, source, absent, place.id, cause=CAUSE)
            if flags:
                store_flags(db, owner, place.id, filed.target, "add", flags, cause=CAUSE)
            count = len(filed.source)
            if is_move and there:
                count += len(remove_entries(db, owner, source, sorted(there), cause=CAUSE).uids)
            counts.append((_words(way, place), count))
            folders.append(place.id)
    return Filed(tuple(counts), (source, *folders))


def _words(way: Way, place: Place) -> str:
    if way.is_discard:
        return f"discarded: moved to {place.name}"
    is_last = not way.stays and place is way.targets[-1][0]
    return f"{'filed' if is_last else 'copied'} into {place.name}"


def _flagged(flags: Sequence[str]) -> str:
    return f"flagged {' '.join(flags)}"
