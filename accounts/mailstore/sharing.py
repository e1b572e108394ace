"""Whose folder a name means, and what the reader may do there (RFC 4314 §2, §4, §6).

`Shared/ann@example.org/Projects` is Ann's folder `Projects` as another user names it. The owner has every right always;
others have what the folder's list grants to them or to `anyone`, less what it takes away from either.
"""

import re
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from accounts.addresses import AddressSyntaxError, canonical_local_part, parse_address
from accounts.mailstore.folder_names import canonical_name, parents, shared_name, split_shared
from accounts.mailstore.locking import STATE_COLUMNS, folder_state
from accounts.mailstore.prepared import Prepared
from accounts.mailstore.values import (
    FolderId,
    FolderState,
    MailboxId,
    NoPermission,
    NoSuchFolder,
)

ALL_RIGHTS = "lrswipkxtea"

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Reach:
    """A folder's name within its owner's mailbox, and the reader's rights there (letters of RFC 4314 §2.1)."""

    owner: MailboxId
    name: str
    rights: str
    reader: MailboxId

    @property
    def is_own(self) -> bool:
        return self.owner == self.reader


def rights_text(rights: str) -> str:
    """The letters as older clients understand them: `c` beside `k` or `x`, `d` beside `e` or `t` (RFC 4314 §2.1.1)."""
    virtual = "c" * bool({"k", "x"} & set(rights)) + "d" * bool({"e", "t"} & set(rights))
    return rights.replace("a", "") + virtual + "a" * ("a" in rights)


def reach(db: psycopg.Connection[Any], reader: MailboxId, name: str, needed: str) -> Reach:
    """The folder that `name` means to `reader`, who must have all the rights `needed` in it.

    One's own folder costs no look-up, and may not exist; another's costs one, and exists. Raises NoPermission; and
    NoSuchFolder in its stead where the reader may not even know of the folder (RFC 4314 §6).
    """
    shared = split_shared(name)
    if shared is None:
        return Reach(reader, name, ALL_RIGHTS, reader)
    found = _find(db, reader, shared[0], [canonical_name(shared[1])])
    if found is None:
        raise NoSuchFolder
    if not set(needed) <= set(found.rights):
        raise NoPermission if "l" in found.rights else NoSuchFolder
    return found


def reach_new(db: psycopg.Connection[Any], reader: MailboxId, name: str) -> Reach:
    """Where a folder called `name` may be made: the nearest one above it that exists grants `k` (RFC 4314 §4).

    Raises NoPermission, whether another's folders above it are hidden or not there.
    """
    shared = split_shared(name)
    if shared is None:
        return Reach(reader, name, ALL_RIGHTS, reader)
    new = canonical_name(shared[1])
    above = _find(db, reader, shared[0], list(parents(new)))
    if above is None or "k" not in above.rights:
        raise NoPermission
    return Reach(above.owner, new, above.rights, reader)


def shared_folders(
    db: psycopg.Connection[Any], reader: MailboxId
) -> list[tuple[str, FolderState, str]]:
    """Others' folders that the reader may know of (`l`): his name for each, its state with what he has not seen, and
    his rights; by name."""
    rows = db.execute(_SHARED, {"reader": reader}, prepare=True, binary=True).fetchall()
    found = []
    for address, granted, taken, seen, *columns in rows:
        rights = _effective(granted, taken)
        if "l" in rights:
            state = folder_state(tuple(columns))
            state = replace(state, unseen_count=max(0, state.message_count - seen))
            found.append((shared_name(address, state.name), state, rights))
    return sorted(found, key=lambda item: item[0])


def rights_in(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, reader: MailboxId
) -> str:
    """The reader's rights in a folder now; "" when it is gone, too. One's own costs no look-up."""
    if reader == owner:
        return ALL_RIGHTS
    row = db.execute(
        f"SELECT {_COMBINED} FROM mail_right r"
        f" WHERE r.owner_id = %(owner)s AND r.folder_id = %(folder)s AND {_APPLIES}",
        {"owner": owner, "folder": folder_id, "reader": reader},
        prepare=True,
    ).fetchone()
    return _effective(*row) if row is not None else ""


def require(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    reader: MailboxId,
    needed: str,
) -> None:
    """Raises NoPermission when the reader has not all the rights `needed` now."""
    if not set(needed) <= set(rights_in(db, owner, folder_id, reader)):
        raise NoPermission


def _effective(granted: str, taken: str) -> str:
    return "".join(right for right in ALL_RIGHTS if right in granted and right not in taken)


# What the rows `r` of mail_right give and take, of those that apply to the reader.
_COMBINED = """COALESCE(string_agg(r.rights, '') FILTER (WHERE NOT r.is_negative), ''),
    COALESCE(string_agg(r.rights, '') FILTER (WHERE r.is_negative), '')"""
DOMAIN_OF = """(
    SELECT COALESCE(u.domain_id, p.domain_id) FROM accounts_mailbox m
    LEFT JOIN accounts_user u ON u.id = m.user_id LEFT JOIN accounts_app p ON p.id = m.app_id
    WHERE m.id = {})"""
_APPLIES = f"(r.grantee_id = %(reader)s OR r.domain_id = {DOMAIN_OF.format('%(reader)s')})"

HAS_RIGHTS = Prepared(
    f"""
    SELECT 1 FROM mail_right r
    WHERE (r.grantee_id = %b OR r.domain_id = {DOMAIN_OF.format("%b")}) AND r.owner_id <> %b LIMIT 1
    """,
    int, int, int,
)  # fmt: skip
"""A row where others have given the reader (three times) any rights."""

_SHARED = f"""
SELECT a.local_part || '@' || d.name, g.granted, g.taken,
    (SELECT count(*) FROM mail_seen s WHERE s.reader_id = %(reader)s AND s.owner_id = f.owner_id
        AND s.folder_id = f.id AND s.is_seen),
    {", ".join("f." + column.strip() for column in STATE_COLUMNS.split(","))}
FROM (
    SELECT r.owner_id, r.folder_id, {_COMBINED}
    FROM mail_right r WHERE {_APPLIES} AND r.owner_id <> %(reader)s
    GROUP BY r.owner_id, r.folder_id
) AS g (owner_id, folder_id, granted, taken)
JOIN mail_folder f ON f.owner_id = g.owner_id AND f.id = g.folder_id
JOIN accounts_mailbox b ON b.id = f.owner_id
JOIN accounts_address a ON (a.user_id = b.user_id OR a.app_id = b.app_id) AND a.is_primary
JOIN accounts_domain d ON d.id = a.domain_id
"""

_FIND = f"""
SELECT b.id, f.name, {_COMBINED}
FROM accounts_domain d
JOIN accounts_address a ON a.domain_id = d.id AND a.local_part = %(local_part)s AND a.is_primary
JOIN accounts_mailbox b ON b.user_id = a.user_id OR b.app_id = a.app_id
JOIN mail_folder f ON f.owner_id = b.id AND f.name = ANY(%(names)s)
LEFT JOIN mail_right r ON r.owner_id = b.id AND r.folder_id = f.id AND {_APPLIES}
WHERE d.name = %(domain)s AND b.id <> %(reader)s
GROUP BY b.id, f.name ORDER BY length(f.name) DESC LIMIT 1
"""


def _find(
    db: psycopg.Connection[Any], reader: MailboxId, address: str, names: list[str]
) -> Reach | None:
    """The folder with the longest of `names`, if the reader has any right in it."""
    try:
        owner = parse_address(address)
    except AddressSyntaxError:
        return None
    row = db.execute(
        _FIND,
        {
            "reader": reader,
            "local_part": canonical_local_part(owner.local_part),
            "domain": owner.domain,
            "names": [name for name in names if not _UNSTORABLE.search(name)],
        },
        prepare=True,
    ).fetchone()
    if row is None:
        return None
    owner_id, name, granted, taken = row
    rights = _effective(granted, taken)
    return Reach(MailboxId(owner_id), name, rights, reader) if rights else None
