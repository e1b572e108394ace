"""The access control list of a folder (RFC 4314 §2, §3): read, changed, inherited.

An identifier is a user's or an app's primary address, a bare username of the default domain, or `anyone`; with a dash
before it, what is listed is taken away.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg.errors import ForeignKeyViolation

from accounts.addresses import AddressSyntaxError, canonical_local_part, parse_address
from accounts.mailstore.folder_names import parents
from accounts.mailstore.locking import take_turn
from accounts.mailstore.sharing import ALL_RIGHTS, DOMAIN_OF
from accounts.mailstore.values import FolderId, MailboxId, MailstoreError, NoSuchFolder

ANYONE = "anyone"
GRANTS_MAXIMUM = 1000
"""Entries in one folder's list."""

Mode = Literal["replace", "add", "remove"]


class NoSuchGrantee(MailstoreError):
    """The identifier names nobody here."""


class OwnerKeepsRights(MailstoreError):
    """The owner has every right always, so that no folder is lost (RFC 4314 §2 allows it)."""


class TooManyGrants(MailstoreError):
    """The list is full."""


@dataclass(frozen=True, slots=True)
class Grantee:
    """Whom an entry of the list is about; `mailbox` None is anyone."""

    mailbox: MailboxId | None
    is_negative: bool


@dataclass(frozen=True, slots=True)
class Grant:
    """One entry of the list; `identifier` as GETACL tells it."""

    identifier: str
    grantee: Grantee
    rights: str


def find_grantee(db: psycopg.Connection[Any], identifier: str) -> Grantee:
    """Whom an identifier means. Raises NoSuchGrantee."""
    is_negative = identifier.startswith("-")
    name = identifier.removeprefix("-")
    if name.lower() == ANYONE:
        return Grantee(None, is_negative)
    try:
        address = parse_address(name if "@" in name else name + "@default")
    except AddressSyntaxError:
        raise NoSuchGrantee from None
    row = db.execute(
        """
        SELECT b.id FROM accounts_domain d
        JOIN accounts_address a ON a.domain_id = d.id AND a.local_part = %s AND a.is_primary
        JOIN accounts_mailbox b ON b.user_id = a.user_id OR b.app_id = a.app_id
        WHERE CASE WHEN %s THEN d.name = %s ELSE d.is_default END
        """,
        [canonical_local_part(address.local_part), "@" in name, address.domain],
    ).fetchone()
    if row is None:
        raise NoSuchGrantee
    return Grantee(MailboxId(row[0]), is_negative)


def members(
    db: psycopg.Connection[Any], owner: MailboxId, grantee: Grantee
) -> tuple[MailboxId, ...]:
    """Who is meant in a folder of `owner`; of anyone not more than are worth a hint."""
    if grantee.mailbox is not None:
        return (grantee.mailbox,)
    rows = db.execute(
        """
        SELECT m.id FROM accounts_mailbox o JOIN accounts_user u ON u.id = o.user_id
        JOIN accounts_user w ON w.domain_id = u.domain_id JOIN accounts_mailbox m ON m.user_id = w.id
        WHERE o.id = %s LIMIT 1000
        """,
        [owner],
    ).fetchall()
    return tuple(MailboxId(id_) for (id_,) in rows)


_GRANTS = """
SELECT a.local_part || '@' || d.name, m.id, r.is_negative, r.rights
FROM {} AS r
LEFT JOIN accounts_mailbox m ON m.id = r.grantee_id
LEFT JOIN accounts_address a ON (a.user_id = m.user_id OR a.app_id = m.app_id) AND a.is_primary
LEFT JOIN accounts_domain d ON d.id = a.domain_id
"""


def list_grants(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId
) -> tuple[Grant, ...]:
    """The folder's list: its owner first, with every right, then by name."""
    entries = """(
        SELECT %(owner)s AS grantee_id, false AS is_negative, %(all)s AS rights
        UNION ALL SELECT grantee_id, is_negative, rights FROM mail_right
        WHERE owner_id = %(owner)s AND folder_id = %(folder)s)"""
    rows = db.execute(
        _GRANTS.format(entries)
        + "ORDER BY m.id IS DISTINCT FROM %(owner)s, m.id IS NOT NULL, 1, r.is_negative",
        {"owner": owner, "folder": folder_id, "all": ALL_RIGHTS},
    ).fetchall()
    return tuple(_grant(*row) for row in rows)


def mailbox_grants(db: psycopg.Connection[Any], owner: MailboxId) -> tuple[tuple[str, Grant], ...]:
    """The lists of all folders of a mailbox without its owner: (folder's name, entry)."""
    entries = """(
        SELECT f.name, e.* FROM mail_right e
        JOIN mail_folder f ON f.owner_id = e.owner_id AND f.id = e.folder_id
        WHERE e.owner_id = %(owner)s)"""
    rows = db.execute(
        _GRANTS.replace("r.rights", "r.rights, r.name").format(entries)
        + "ORDER BY r.name <> 'INBOX', r.name, m.id IS NOT NULL, 1, r.is_negative",
        {"owner": owner},
    ).fetchall()
    return tuple((name, _grant(*grant)) for *grant, name in rows)


def _grant(address: str | None, mailbox: int | None, is_negative: bool, rights: str) -> Grant:
    name = ANYONE if mailbox is None else address or f"mailbox {mailbox}"
    grantee = Grantee(None if mailbox is None else MailboxId(mailbox), is_negative)
    return Grant("-" * is_negative + name, grantee, rights)


def set_rights(
    db: psycopg.Connection[Any],
    owner: MailboxId,
    folder_id: FolderId,
    grantee: Grantee,
    rights: str,
    mode: Mode = "replace",
) -> None:
    """Change one entry; one without rights goes. The folder gets a new modseq: who has it selected looks again.

    Raises NoSuchFolder, NoSuchGrantee, TooManyGrants; OwnerKeepsRights when the owner would have less than all.
    """
    if grantee.mailbox == owner:
        if grantee.is_negative or _changed(ALL_RIGHTS, rights, mode) != ALL_RIGHTS:
            raise OwnerKeepsRights
        return
    with db.transaction():
        take_turn(db, owner)
        key = {
            "owner": owner,
            "folder": folder_id,
            "grantee": grantee.mailbox,
            "negative": grantee.is_negative,
        }
        row = db.execute(
            f"SELECT rights FROM mail_right WHERE {_ENTRY}", key, prepare=True
        ).fetchone()
        before = row[0] if row else ""
        wanted = _changed(before, rights, mode)
        if wanted == before:
            return
        _touch(db, key)
        if not wanted:
            db.execute(f"DELETE FROM mail_right WHERE {_ENTRY}", key)
        elif before:
            db.execute(
                f"UPDATE mail_right SET rights = %(rights)s WHERE {_ENTRY}",
                {**key, "rights": wanted},
            )
        else:
            _add(db, key, wanted)


def remove_grant(
    db: psycopg.Connection[Any], owner: MailboxId, folder_id: FolderId, grantee: Grantee
) -> None:
    """DELETEACL: the entry goes, if there is one. Raises OwnerKeepsRights."""
    set_rights(db, owner, folder_id, grantee, "")


def forget_reader(db: psycopg.Connection[Any], reader: MailboxId) -> None:
    """Whatever others granted to this mailbox ends, and with it what it has seen in their folders."""
    with db.transaction():
        rows = db.execute(
            """
            SELECT owner_id, folder_id FROM mail_right WHERE grantee_id = %(reader)s
            UNION SELECT owner_id, folder_id FROM mail_seen WHERE reader_id = %(reader)s
            ORDER BY 1, 2
            """,
            {"reader": reader},
        ).fetchall()
        for owner in sorted({reader, *(owner for owner, _ in rows)}):
            take_turn(db, owner)
        for owner, folder in rows:
            with suppress(NoSuchFolder):  # deleted while we waited
                _touch(db, {"owner": owner, "folder": folder})
        db.execute("DELETE FROM mail_right WHERE grantee_id = %s", [reader])
        db.execute("DELETE FROM mail_seen WHERE reader_id = %s", [reader])


def inherit_rights(
    db: psycopg.Connection[Any], owner: MailboxId, name: str, made: Sequence[FolderId]
) -> bool:
    """Give the new folders `made` (`name`, and those above it that were missing) the list of the nearest one above
    that was there (RFC 4314 §4, CREATE); whether they have one then."""
    above = list(parents(name))
    if not above or not made:
        return False
    shared = db.execute(
        """
        WITH above AS (
            SELECT id FROM mail_folder
            WHERE owner_id = %(owner)s AND name = ANY(%(above)s) AND id <> ALL(%(made)s)
            ORDER BY length(name) DESC LIMIT 1
        ), granted AS (
            INSERT INTO mail_right (owner_id, folder_id, grantee_id, domain_id, is_negative, rights)
            SELECT r.owner_id, n.id, r.grantee_id, r.domain_id, r.is_negative, r.rights
            FROM above JOIN mail_right r ON r.owner_id = %(owner)s AND r.folder_id = above.id
            CROSS JOIN unnest(%(made)s::bigint[]) AS n (id)
            RETURNING folder_id
        )
        UPDATE mail_folder SET is_shared = true
        WHERE owner_id = %(owner)s AND id IN (SELECT folder_id FROM granted)
        """,
        {"owner": owner, "above": above, "made": list(made)},
    )
    return shared.rowcount > 0


_ENTRY = """owner_id = %(owner)s AND folder_id = %(folder)s
    AND grantee_id IS NOT DISTINCT FROM %(grantee)s::bigint AND is_negative = %(negative)s"""


def _changed(before: str, rights: str, mode: Mode) -> str:
    wanted = set(rights)
    if mode == "add":
        wanted |= set(before)
    elif mode == "remove":
        wanted = set(before) - wanted
    return "".join(right for right in ALL_RIGHTS if right in wanted)


def _touch(db: psycopg.Connection[Any], key: dict[str, Any]) -> None:
    touched = db.execute(
        "UPDATE mail_folder SET is_shared = true, highest_modseq = highest_modseq + 1"
        " WHERE owner_id = %(owner)s AND id = %(folder)s",
        key,
    )
    if not touched.rowcount:
        raise NoSuchFolder


def _add(db: psycopg.Connection[Any], key: dict[str, Any], rights: str) -> None:
    count = db.execute(
        "SELECT count(*) FROM mail_right WHERE owner_id = %(owner)s AND folder_id = %(folder)s", key
    ).fetchone()
    if count is not None and count[0] >= GRANTS_MAXIMUM:
        raise TooManyGrants
    try:
        db.execute(
            f"""
            INSERT INTO mail_right (owner_id, folder_id, grantee_id, domain_id, is_negative, rights)
            SELECT %(owner)s, %(folder)s, %(grantee)s,
                CASE WHEN %(grantee)s::bigint IS NULL THEN {DOMAIN_OF.format("%(owner)s")} END,
                %(negative)s, %(rights)s
            """,
            {**key, "rights": rights},
        )
    except ForeignKeyViolation:
        raise NoSuchGrantee from None
