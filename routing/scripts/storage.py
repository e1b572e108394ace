"""A mailbox's own scripts: list, read, put, activate, delete, rename, within bounds (RFC 5804 §2.5-2.11).

Services on a raw psycopg connection. Names are those of `routing.scripts.names.script_name`; contents are not looked at
here. Reading is one round trip; what changes takes the mailbox's turn before, since a statement's own snapshot would
not see the scripts of another that has just ended.
"""

from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.locking import take_turn
from accounts.mailstore.prepared import Prepared
from accounts.mailstore.values import MailboxId
from routing.sieve.limits import SCRIPT_SIZE_MAXIMUM

Connection = psycopg.Connection[tuple[Any, ...]]

SCRIPTS_MAXIMUM = 100
"""Of one mailbox."""
TOTAL_MAXIMUM = 10 * SCRIPT_SIZE_MAXIMUM
"""Octets of all its scripts."""


class ScriptRefused(Exception):
    """What was asked for cannot be done; never our own failure."""


class NoSuchScript(ScriptRefused):
    """There is no script of that name."""


class ScriptExists(ScriptRefused):
    """There is a script of the new name."""


class ScriptIsActive(ScriptRefused):
    """The active script is not deleted."""


class TooManyScripts(ScriptRefused):
    """The mailbox has as many scripts as it may."""


class ScriptTooBig(ScriptRefused):
    """This script, or all together, would be larger than they may."""


@dataclass(frozen=True, slots=True)
class ListedScript:
    """`size` in octets."""

    name: str
    is_active: bool
    size: int


_LIST = Prepared(
    "SELECT name, is_active, octet_length(content) FROM routing_script"
    " WHERE mailbox_id = %b ORDER BY name",
    int,
)
_CONTENT = Prepared(
    "SELECT content FROM routing_script WHERE mailbox_id = %b AND name = %b", int, str
)
_ACTIVE = Prepared(
    "SELECT name, content FROM routing_script WHERE mailbox_id = %b AND is_active", int
)
_SPACE = Prepared(
    """
    SELECT count(*), coalesce(sum(octet_length(content)), 0)::bigint,
        coalesce(bool_or(name = %b), false),
        coalesce(sum(octet_length(content)) FILTER (WHERE name = %b), 0)::bigint
    FROM routing_script WHERE mailbox_id = %b
    """,
    str,
    str,
    int,
)
_PUT = Prepared(
    """
    INSERT INTO routing_script (mailbox_id, name, content, is_active, changed_at)
    VALUES (%b, %b, %b, false, now())
    ON CONFLICT (mailbox_id, name)
        DO UPDATE SET content = excluded.content, changed_at = excluded.changed_at
    RETURNING id
    """,
    int,
    str,
    bytes,
)


def list_scripts(db: Connection, mailbox: MailboxId) -> list[ListedScript]:
    """All, by name."""
    return [ListedScript(*row) for row in _LIST.rows(db, mailbox)]


def script(db: Connection, mailbox: MailboxId, name: str) -> bytes | None:
    """The text of one."""
    row = _CONTENT.row(db, mailbox, name)
    return row[0] if row else None


def active_script(db: Connection, mailbox: MailboxId) -> tuple[str, bytes] | None:
    """Name and text of the one that mail goes through."""
    row = _ACTIVE.row(db, mailbox)
    return (row[0], row[1]) if row else None


def check_space(db: Connection, mailbox: MailboxId, name: str, size: int) -> None:
    """Whether a script of `size` octets would fit under this name. Raises TooManyScripts, ScriptTooBig."""
    if size > SCRIPT_SIZE_MAXIMUM:
        raise ScriptTooBig(f"A script has at most {SCRIPT_SIZE_MAXIMUM} octets")
    row = _SPACE.row(db, name, name, mailbox)
    assert row is not None
    count, total, exists, replaced = row
    if not exists and count >= SCRIPTS_MAXIMUM:
        raise TooManyScripts(f"There are {count} scripts already")
    if total - replaced + size > TOTAL_MAXIMUM:
        raise ScriptTooBig(f"All scripts together have at most {TOTAL_MAXIMUM} octets")


def put_script(db: Connection, mailbox: MailboxId, name: str, content: bytes) -> None:
    """Store a script, or another text under a name that exists; an active one stays active.

    Raises TooManyScripts, ScriptTooBig.
    """
    with db.transaction():
        take_turn(db, mailbox)
        check_space(db, mailbox, name, len(content))
        _PUT.row(db, mailbox, name, content)


def activate_script(db: Connection, mailbox: MailboxId, name: str) -> None:
    """Let mail go through this script, and no other; "" is none at all. Raises NoSuchScript."""
    with db.transaction():
        take_turn(db, mailbox)
        db.execute(
            "UPDATE routing_script SET is_active = false"
            " WHERE mailbox_id = %s AND is_active AND name <> %s",
            [mailbox, name],
        )
        if not name:
            return
        done = db.execute(
            "UPDATE routing_script SET is_active = true WHERE mailbox_id = %s AND name = %s",
            [mailbox, name],
        )
        if not done.rowcount:
            raise NoSuchScript


def delete_script(db: Connection, mailbox: MailboxId, name: str) -> None:
    """Raises NoSuchScript, ScriptIsActive."""
    with db.transaction():
        take_turn(db, mailbox)
        _check_exists(db, mailbox, name)
        done = db.execute(
            "DELETE FROM routing_script WHERE mailbox_id = %s AND name = %s AND NOT is_active",
            [mailbox, name],
        )
        if not done.rowcount:
            raise ScriptIsActive


def rename_script(db: Connection, mailbox: MailboxId, name: str, new_name: str) -> None:
    """An active one stays active (RFC 5804 §2.11). Raises NoSuchScript, ScriptExists."""
    with db.transaction():
        take_turn(db, mailbox)
        _check_exists(db, mailbox, name)
        if script(db, mailbox, new_name) is not None:
            raise ScriptExists
        db.execute(
            "UPDATE routing_script SET name = %s WHERE mailbox_id = %s AND name = %s",
            [new_name, mailbox, name],
        )


def _check_exists(db: Connection, mailbox: MailboxId, name: str) -> None:
    if script(db, mailbox, name) is None:
        raise NoSuchScript
