"""Which models a mailbox's votes count in: its own, and its owner's domain's."""

from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.mailstore.values import MailboxId

Connection = psycopg.Connection[tuple[Any, ...]]

OWNERS = """
accounts_mailbox b
LEFT JOIN accounts_user u ON u.id = b.user_id
LEFT JOIN accounts_app a ON a.id = b.app_id
"""
DOMAIN = "COALESCE(u.domain_id, a.domain_id)"


@dataclass(frozen=True, slots=True)
class Models:
    """Ids of rows of routing_spam_model."""

    personal: int
    domain: int


def models_of(db: Connection, mailbox: MailboxId) -> Models | None:
    """Made where they are missing; None for a mailbox that has outlived its owner."""
    row = db.execute(
        f"SELECT {DOMAIN} FROM {OWNERS} WHERE b.id = %s", (mailbox,), prepare=True
    ).fetchone()
    if row is None or row[0] is None:
        return None
    return Models(_model(db, "mailbox_id", mailbox), domain_model(db, row[0]))


def domain_model(db: Connection, domain: int) -> int:
    """Its id; made where it is missing. Raises psycopg.errors.ForeignKeyViolation when there is no such domain."""
    return _model(db, "domain_id", domain)


def _model(db: Connection, column: str, owner: int) -> int:
    find = f"SELECT id FROM routing_spam_model WHERE {column} = %s"
    row = db.execute(find, (owner,), prepare=True).fetchone()
    if row is None:
        db.execute(
            f"INSERT INTO routing_spam_model ({column}) VALUES (%s) ON CONFLICT DO NOTHING",
            (owner,),
        )
        row = db.execute(find, (owner,)).fetchone()
    assert row is not None
    return int(row[0])
