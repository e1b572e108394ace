"""Whose folder a name means, and what the reader may do there (RFC 4314 §2, §4, §6).

`Shared/ann@example.org/Projects` is Ann's folder `Projects` as another user names it. The owner has every right always;
others have what the folder's list grants to them or to `anyone`, less what it takes away from either.
"""

import re
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.addresses import AddressSyntaxError, canonical_local_part, parse_address
from accounts.mailstore.folder_names import canonical_name, parents
from accounts.mailstore.values import (
    HIERARCHY_SEPARATOR,
    MailboxId,
    NoPermission,
    NoSuchFolder,
)

SHARED = "Shared"
ALL_RIGHTS = "lrswipkxtea"

_SHARED_NAME = re.compile(r"([^@]+@[^/]+)(?:/(.*))?", re.DOTALL)


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


def shared_name(address: str, name: str) -> str:
    """What a reader calls the folder `name` of the user at `address`."""
    return f"{SHARED}{HIERARCHY_SEPARATOR}{address}{HIERARCHY_SEPARATOR}{name}"


def split_shared(name: str) -> tuple[str, str] | None:
    """The owner's address and the folder's name there ("" for the top alone); None for a name of one's own."""
    if not name.startswith(SHARED + HIERARCHY_SEPARATOR):
        return None
    match = _SHARED_NAME.fullmatch(name, len(SHARED) + 1)
    return (match[1], match[2] or "") if match else None


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


_FIND = """
SELECT b.id, f.name,
    COALESCE(string_agg(r.rights, '') FILTER (WHERE NOT r.is_negative), ''),
    COALESCE(string_agg(r.rights, '') FILTER (WHERE r.is_negative), '')
FROM accounts_domain d
JOIN accounts_address a ON a.domain_id = d.id AND a.local_part = %(local_part)s AND a.is_primary
JOIN accounts_mailbox b ON b.user_id = a.user_id OR b.app_id = a.app_id
JOIN mail_folder f ON f.owner_id = b.id AND f.name = ANY(%(names)s) AND f.is_shared
JOIN mail_right r ON r.owner_id = b.id AND r.folder_id = f.id
    AND (r.grantee_id = %(reader)s OR (r.grantee_id IS NULL AND d.id = (
        SELECT COALESCE(u.domain_id, p.domain_id) FROM accounts_mailbox m
        LEFT JOIN accounts_user u ON u.id = m.user_id LEFT JOIN accounts_app p ON p.id = m.app_id
        WHERE m.id = %(reader)s)))
WHERE d.name = %(domain)s AND b.id <> %(reader)s
GROUP BY b.id, f.name ORDER BY length(f.name) DESC LIMIT 1
"""


def _find(
    db: psycopg.Connection[Any], reader: MailboxId, address: str, names: list[str]
) -> Reach | None:
    """The longest of `names` in which the reader has any right."""
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
            "names": [name for name in names if "\0" not in name],
        },
        prepare=True,
    ).fetchone()
    if row is None:
        return None
    owner_id, name, granted, taken = row
    rights = "".join(right for right in ALL_RIGHTS if right in granted and right not in taken)
    return Reach(MailboxId(owner_id), name, rights, reader) if rights else None
