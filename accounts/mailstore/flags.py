"""STORE: flags of entries (RFC 9051 §6.4.6, RFC 7162 §3.1.3)."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
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
from accounts.mailstore.locking import rows_in_turn
from accounts.mailstore.numbering import chunks, unpack
from accounts.mailstore.uid_choice import chosen, numbered, set_of
from accounts.mailstore.values import (
    FolderId,
    MailboxId,
    ModSeq,
    NoSuchFolder,
    TooManyKeywords,
    Uid,
)

Mode = Literal["add", "remove", "replace"]
EntryState = tuple[Uid, int, ModSeq]
ANY_MODSEQ = ModSeq((1 << 63) - 1)


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
    known: tuple[str, ...] = (),
    cause: str = "imap",
) -> Stored:
    """Change flags; over 5,000 entries in chunks, each with its modseq.

    `known` are the folder's keywords as far as the caller knows: a guess that spares a round trip. Raises NoSuchFolder,
    TooManyKeywords (then nothing of the chunk is changed, and the first chunk is the first to meet it).
    """
    return in_chunks(
        uids,
        lambda chunk: _store_chunk(
            db, owner, folder_id, chunk, mode, flags, unchanged_since, known, cause
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


# `changing` and `changed` are the same entries: in the owner's turn nobody else changes them. To join the two would be a
# nested loop, since the planner takes them for a few.
_STORE = """
WITH folder AS MATERIALIZED (
    SELECT f.id, f.owner_id, f.highest_modseq, f.keywords FROM mail_folder f
    WHERE f.owner_id = $1 AND f.id = $2
), entry AS MATERIALIZED (
    SELECT e.uid, e.flags, e.modseq FROM mail_entry e
    WHERE e.owner_id = $1 AND e.folder_id = $2 AND {choice}
), changing AS MATERIALIZED (
    SELECT e.flags AS before, e.flags & $3 | $4 AS after FROM entry e CROSS JOIN folder f
    WHERE e.flags & $3 | $4 <> e.flags AND e.modseq <= $5 {condition}
), changed AS (
    UPDATE mail_entry e SET flags = e.flags & $3 | $4, modseq = f.highest_modseq + 1
    FROM folder f
    WHERE e.owner_id = $1 AND e.folder_id = $2 AND {choice}
        AND e.flags & $3 | $4 <> e.flags AND e.modseq <= $5 {condition}
    RETURNING e.uid, e.message_id
), counted AS (
    UPDATE mail_folder f SET highest_modseq = f.highest_modseq + 1 {set_keywords},
        unseen_count = f.unseen_count + t.unseen, deleted_count = f.deleted_count + t.deleted
    FROM (
        SELECT count(*) FILTER (WHERE after & {seen} = 0)
                - count(*) FILTER (WHERE before & {seen} = 0) AS unseen,
            count(*) FILTER (WHERE after & {deleted} <> 0)
                - count(*) FILTER (WHERE before & {deleted} <> 0) AS deleted
        FROM changing
        HAVING count(*) > 0
    ) AS t
    WHERE f.owner_id = $1 AND f.id = $2
), change AS (
    INSERT INTO mail_change (owner_id, folder_id, modseq, kind, uids)
    SELECT owner_id, id, highest_modseq + 1, 2, {set} FROM folder WHERE EXISTS (SELECT FROM changed)
), event AS (
    INSERT INTO mail_event (owner_id, kind, cause, folder_id, message_ids, detail)
    SELECT owner_id, 'flags', $6::text, id, (SELECT array_agg(message_id ORDER BY uid) FROM changed), $7::jsonb
    FROM folder WHERE EXISTS (SELECT FROM changed)
)
SELECT f.highest_modseq, f.keywords, e.uids, e.flags, e.modseqs
FROM folder f CROSS JOIN (
    SELECT string_agg(int8send(uid), NULL ORDER BY uid) AS uids,
        string_agg(int8send(flags), NULL ORDER BY uid) AS flags,
        string_agg(int8send(modseq), NULL ORDER BY uid) AS modseqs
    FROM entry) AS e
"""


@cache
def _statement(choice: str, *, names_keywords: bool) -> bytes:
    """STORE as one statement for the owner's turn: $3 are the bits to keep, $4 those to add, $5 is the highest modseq
    of what may change. Where keywords are named, nothing changes unless the folder's are still $8; then they are $9."""
    return _STORE.format(
        choice=choice,
        condition="AND f.keywords = $8::text[]" if names_keywords else "",
        set_keywords=", keywords = $9::text[]" if names_keywords else "",
        set=set_of("changed"),
        seen=SEEN,
        deleted=DELETED,
    ).encode()


def _store_chunk(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    uids: list[Uid],
    mode: Mode,
    flags: tuple[str, ...],
    unchanged_since: ModSeq | None,
    known: tuple[str, ...],
    cause: str,
) -> Stored:
    """One round trip, and one more each time that the folder has other keywords than `known`: it only gets more."""
    limit = ANY_MODSEQ if unchanged_since is None else unchanged_since
    names_keywords = bool(split_flags(flags)[1])
    choice, chosen_uids = numbered(uids, 10 if names_keywords else 8)
    statement = _statement(choice, names_keywords=names_keywords)
    detail = json.dumps({"mode": mode, "flags": flags})
    while True:
        change = plan_change(mode, flags, known)
        named = [list(known), list(change.keywords)] if names_keywords else []
        values = [owner, folder_id, ~change.remove, change.add, limit, cause, detail]
        rows = rows_in_turn(db, owner, statement, [*values, *named, *chosen_uids])
        if not rows:
            raise NoSuchFolder
        highest, keywords, *packed = rows[0]
        if not names_keywords or tuple(keywords) == known:
            break
        known = tuple(keywords)
    entries = cast("list[EntryState]", list(zip(*map(unpack, packed), strict=True)))
    kept = tuple(change.keywords if names_keywords else keywords)
    return _outcome(entries, replace(change, keywords=kept), limit, highest, tuple(keywords))


def _outcome(
    entries: Sequence[EntryState],
    change: FlagChange,
    limit: ModSeq,
    highest: ModSeq,
    keywords: tuple[str, ...],
) -> Stored:
    """What became of entries as they were, in a folder with this highest modseq and these keywords before."""
    modified = tuple(uid for uid, _, modseq in entries if modseq > limit)
    eligible = [(entry, change.apply(entry[1])) for entry in entries if entry[2] <= limit]
    unchanged = tuple(entry for entry, after in eligible if after == entry[1])
    if len(unchanged) == len(eligible):
        return Stored(highest, (), unchanged, modified, keywords)
    modseq = ModSeq(highest + 1)
    changed = tuple((entry[0], after, modseq) for entry, after in eligible if after != entry[1])
    return Stored(modseq, changed, unchanged, modified, change.keywords)


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
