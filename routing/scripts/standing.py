"""Which scripts mail goes through: the global ones, and each mailbox's active one.

One round trip tells which they are, by digest; a text is read only where this process has no program of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.journal.trace import clean
from accounts.mailstore.prepared import Prepared
from accounts.mailstore.values import MailboxId
from routing.scripts.programs import PROGRAMS, compiled
from routing.sieve.program import Program

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class StandingScript:
    """`mailbox` is None for a global one; `id` is its row's."""

    id: int
    name: str
    digest: bytes
    mailbox: MailboxId | None = None


@dataclass(frozen=True, slots=True)
class StandingScripts:
    """`before` and `after` run in their order, that of their names; `active` has no entry for a mailbox without a script."""

    before: tuple[StandingScript, ...]
    after: tuple[StandingScript, ...]
    active: Mapping[MailboxId, StandingScript]


_STANDING = """
SELECT 'active', id, name, digest, mailbox_id FROM routing_script WHERE is_active AND mailbox_id {}
UNION ALL
SELECT place, id, name, digest, NULL FROM routing_globalscript
WHERE is_enabled AND place <> 'library'
"""
_OF_ONE = Prepared(_STANDING.format("= %b"), int)
_OF_MANY = _STANDING.format("= ANY(%s::bigint[])")


def standing_scripts(db: Connection, mailboxes: Sequence[MailboxId]) -> StandingScripts:
    """One round trip."""
    if len(mailboxes) == 1:
        rows = _OF_ONE.rows(db, mailboxes[0])
    else:
        rows = db.execute(_OF_MANY, [list(mailboxes)], prepare=True, binary=True).fetchall()
    places: dict[str, list[StandingScript]] = {"active": [], "before": [], "after": []}
    for place, *columns in sorted(rows, key=lambda row: row[2]):
        places[place].append(StandingScript(*columns))
    active = {one.mailbox: one for one in places["active"] if one.mailbox is not None}
    return StandingScripts(tuple(places["before"]), tuple(places["after"]), active)


def named_script(db: Connection, mailbox: MailboxId, name: str) -> StandingScript | None:
    """A script of the mailbox by its name, active or not; else the library's."""
    row = db.execute(
        """
        SELECT id, name, digest, mailbox_id FROM routing_script WHERE mailbox_id = %(mailbox)s AND name = %(name)s
        UNION ALL
        SELECT id, name, digest, NULL FROM routing_globalscript
        WHERE place = 'library' AND is_enabled AND name = %(name)s
        LIMIT 1
        """,
        {"mailbox": mailbox, "name": clean(name)},
        prepare=True,
        binary=True,
    ).fetchone()
    return StandingScript(*row) if row else None


def program_of(db: Connection, standing: StandingScript) -> Program | None:
    """Its program; no round trip where this process has it. None when it has gone. Raises InvalidScript."""
    known = PROGRAMS.find(standing.digest)
    if known is not None:
        return known
    table = "routing_globalscript" if standing.mailbox is None else "routing_script"
    row = db.execute(
        f"SELECT content FROM {table} WHERE id = %s", [standing.id], prepare=True, binary=True
    ).fetchone()
    return compiled(row[0]) if row else None


def library_script(db: Connection, name: str) -> bytes | None:
    """The text of a global script that others may include (`:global`, RFC 6609 §3.2)."""
    row = db.execute(
        "SELECT content FROM routing_globalscript"
        " WHERE place = 'library' AND is_enabled AND name = %s",
        [name],
        prepare=True,
        binary=True,
    ).fetchone()
    return row[0] if row else None
