"""STORE: flags of entries (RFC 9051 §6.4.6, RFC 7162 §3.1.3)."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import psycopg

from accounts.mailstore.flagbits import (
    ALL_BITS,
    DELETED,
    KEYWORD_LENGTH_MAXIMUM,
    SEEN,
    FlagChange,
    extended,
    keyword_bits,
    opposites,
    same_side,
    split_flags,
    with_synonyms,
)
from accounts.mailstore.locking import lock_folders
from accounts.mailstore.numbering import chunks, unpack
from accounts.mailstore.uid_choice import chosen, set_of
from accounts.mailstore.values import (
    FolderId,
    MailboxId,
    ModSeq,
    TooManyKeywords,
    Uid,
)

Mode = Literal["add", "remove", "replace"]
EntryState = tuple[Uid, int, ModSeq]


@dataclass(frozen=True, slots=True)
class Stored:
    """`modseq` is the folder's highest afterwards, `keywords` its list.

    `changed` and `unchanged` are (uid, flags, modseq) after the command, in order of UID; `modified` are those
    that UNCHANGEDSINCE kept as they were. UIDs that do not exist are in none.
    """

    modseq: ModSeq
    changed: tuple[EntryState, ...]
    unchanged: tuple[EntryState, ...]
    modified: tuple[Uid, ...]
    keywords: tuple[str, ...]


def store_flags(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[Uid],
    mode: Mode,
    flags: tuple[str, ...],
    unchanged_since: ModSeq | None = None,
    *,
    cause: str = "imap",
) -> Stored:
    """Change flags; over 5,000 entries in chunks, each with its modseq.

    Raises NoSuchFolder, TooManyKeywords (then nothing of the chunk is changed, and the first chunk is the first to
    meet it).
    """
    return in_chunks(
        uids,
        lambda chunk: _store_chunk(
            db, owner, folder_id, chunk, mode, flags, unchanged_since, cause
        ),
    )


def in_chunks(uids: Sequence[Uid], store: Callable[[list[Uid]], Stored]) -> Stored:
    """What `store` did with one chunk of the UIDs after the other, together; with none it is asked once."""
    changed: list[EntryState] = []
    unchanged: list[EntryState] = []
    modified: list[Uid] = []
    for chunk in chunks(sorted(set(uids))) or [[]]:
        stored = store(chunk)
        changed.extend(stored.changed)
        unchanged.extend(stored.unchanged)
        modified.extend(stored.modified)
    return Stored(stored.modseq, tuple(changed), tuple(unchanged), tuple(modified), stored.keywords)


def plan_change(mode: Mode, flags: Sequence[str], known: Sequence[str]) -> FlagChange:
    """`flags` as bits of a folder that knows the keywords `known`. Raises TooManyKeywords."""
    bits, named = split_flags(flags)
    if mode == "remove":
        return FlagChange(0, bits | keyword_bits(known, same_side(named)), tuple(known))
    wanted = with_synonyms(named)
    keywords = extended(known, wanted)
    names = {name.lower() for name in keywords}
    if any(name.lower() not in names for name in wanted):
        raise TooManyKeywords(f"{len(keywords)} keywords, each up to {KEYWORD_LENGTH_MAXIMUM}")
    add = bits | keyword_bits(keywords, wanted)
    if mode == "replace":
        return FlagChange(add, ALL_BITS, keywords)
    return FlagChange(add, keyword_bits(keywords, opposites(wanted)), keywords)


_READ = """
SELECT string_agg(int8send(e.uid), NULL ORDER BY e.uid), string_agg(int8send(e.flags), NULL ORDER BY e.uid),
    string_agg(int8send(e.modseq), NULL ORDER BY e.uid)
FROM mail_entry e WHERE e.owner_id = %(owner)s AND e.folder_id = %(folder)s AND {choice}
"""

_WRITE = """
WITH entry AS (
    UPDATE mail_entry e SET flags = e.flags & %(keep)s | %(add)s, modseq = %(modseq)s
    WHERE e.owner_id = %(owner)s AND e.folder_id = %(folder)s AND {choice}
    RETURNING e.uid, e.message_id
), folder AS (
    UPDATE mail_folder SET highest_modseq = %(modseq)s, keywords = %(keywords)s,
        unseen_count = unseen_count + %(unseen)s, deleted_count = deleted_count + %(deleted)s
    WHERE owner_id = %(owner)s AND id = %(folder)s
), change AS (
    INSERT INTO mail_change (owner_id, folder_id, modseq, kind, uids)
    VALUES (%(owner)s, %(folder)s, %(modseq)s, 2, {set})
)
INSERT INTO mail_event (owner_id, kind, cause, folder_id, message_ids, detail)
VALUES (%(owner)s, 'flags', %(cause)s, %(folder)s,
    (SELECT array_agg(message_id ORDER BY uid) FROM entry),
    jsonb_build_object('mode', %(mode)s::text, 'flags', %(names)s::text[]))
"""


def _store_chunk(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: list[Uid],
    mode: Mode,
    flags: tuple[str, ...],
    unchanged_since: ModSeq | None,
    cause: str,
) -> Stored:
    with db.transaction():
        folder = lock_folders(db, owner, [folder_id])[folder_id]
        change = plan_change(mode, flags, folder.keywords)
        rows = _read(db, owner, folder_id, uids)
        limit = folder.highest_modseq if unchanged_since is None else unchanged_since
        modified = tuple(Uid(row[0]) for row in rows if row[2] > limit)
        eligible = [row for row in rows if row[2] <= limit]
        after = {flags: change.apply(flags) for flags in {row[1] for row in eligible}}
        changing = [row for row in eligible if after[row[1]] != row[1]]
        unchanged = tuple(row for row in eligible if after[row[1]] == row[1])
        if not changing:
            return Stored(folder.highest_modseq, (), unchanged, modified, folder.keywords)
        modseq = ModSeq(folder.highest_modseq + 1)
        write_change(db, owner, folder_id, modseq, changing, change, mode, flags, cause)
        changed = tuple((uid, after[flags], modseq) for uid, flags, _ in changing)
        return Stored(modseq, changed, unchanged, modified, change.keywords)


def _read(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, uids: Sequence[Uid]
) -> list[EntryState]:
    choice, parameters = chosen(uids)
    parameters |= {"owner": owner, "folder": folder_id}
    row = db.execute(_READ.format(choice=choice), parameters, prepare=True, binary=True).fetchone()
    assert row is not None
    states = zip(*map(unpack, row), strict=True)
    return cast("list[EntryState]", list(states))


def write_change(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    modseq: ModSeq,
    changing: Sequence[tuple[Any, ...]],
    change: FlagChange,
    mode: Mode,
    flags: Sequence[str],
    cause: str,
) -> None:
    """Change the entries of these rows of (uid, flags, …), in order, under a new modseq; the folder is locked."""
    choice, parameters = chosen([row[0] for row in changing])
    db.execute(
        _WRITE.format(choice=choice, set=set_of("entry")),
        {
            **parameters,
            "owner": owner,
            "folder": folder_id,
            "keep": ~change.remove,
            "add": change.add,
            "modseq": modseq,
            "keywords": list(change.keywords),
            "unseen": _difference(changing, change, SEEN, counts_unset=True),
            "deleted": _difference(changing, change, DELETED, counts_unset=False),
            "cause": cause,
            "mode": mode,
            "names": list(flags),
        },
        prepare=True,
    )


def _difference(
    rows: Sequence[tuple[Any, ...]], change: FlagChange, bit: int, *, counts_unset: bool
) -> int:
    """By how much the number of entries with `bit` (or without it) grows."""
    grown = sum(
        (bool(change.apply(flags) & bit) - bool(flags & bit)) * count
        for flags, count in Counter(row[1] for row in rows).items()
    )
    return -grown if counts_unset else grown
