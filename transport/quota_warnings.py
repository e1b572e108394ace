"""Tells users by mail that their mailbox is nearly full: once, until it has become emptier. On a worker.

The mark and the message are one transaction: no process tells twice, and no crash leaves a user untold.
"""

import logging
import time
from datetime import UTC, datetime
from email.utils import format_datetime

import psycopg
from django.conf import settings

from accounts.mailstore.values import FolderId, MailboxId
from transport.answers.composing import address_field, text_part
from transport.database_threads import Connection
from transport.internal_mail import Outcome, submit_internal
from transport.smtp.trace_fields import new_trace_id

WARNED_AT = 0.9
EMPTIER_AT = 0.8
SECONDS_A_RUN = 30.0

log = logging.getLogger(__name__)

_SHARE = "GREATEST(used_bytes::float / NULLIF(quota_bytes, 0), used_messages::float / NULLIF(quota_messages, 0))"
_EMPTIER = f"""
UPDATE accounts_mailbox SET quota_warned_at = NULL
WHERE quota_warned_at IS NOT NULL AND COALESCE({_SHARE}, 0) < {EMPTIER_AT}
"""
_NEARLY_FULL = f"""
SELECT id FROM accounts_mailbox
WHERE quota_warned_at IS NULL AND user_id IS NOT NULL AND {_SHARE} >= {WARNED_AT} ORDER BY id
"""
_WARN = f"""
UPDATE accounts_mailbox m SET quota_warned_at = now()
FROM accounts_user u JOIN accounts_domain d ON d.id = u.domain_id
WHERE m.id = %s AND m.quota_warned_at IS NULL AND u.id = m.user_id AND u.is_active AND {_SHARE} >= {WARNED_AT}
RETURNING u.username || '@' || d.name, {_SHARE}, m.used_bytes, m.quota_bytes
"""


def warn_users(db: Connection) -> list[FolderId]:
    """Warn whom it concerns; the folders that have got mail. `db` is in autocommit.

    A mailbox without room for the warning is warned when it has some.
    """
    db.execute(_EMPTIER)
    until = time.monotonic() + SECONDS_A_RUN
    folders: list[FolderId] = []
    for (mailbox,) in db.execute(_NEARLY_FULL).fetchall():
        if time.monotonic() > until:
            break
        try:
            folders += _warn(db, MailboxId(mailbox))
        except (psycopg.Error, OSError):
            log.exception(
                "the owner of mailbox %s could not be told that it is nearly full", mailbox
            )
            if db.closed:
                raise
    return folders


def _warn(db: Connection, mailbox: MailboxId) -> tuple[FolderId, ...]:
    folders: tuple[FolderId, ...] = ()
    with db.transaction() as transaction:
        row = db.execute(_WARN, (mailbox,)).fetchone()
        if row is None:
            return ()
        address, share, used_bytes, quota_bytes = row
        told = submit_internal(
            db,
            reverse_path="",
            recipient=address,
            content=_warning(address, share, used_bytes, quota_bytes),
            cause="quota",
        )
        if told.outcome is not Outcome.DONE:
            raise psycopg.Rollback(transaction)
        folders = told.folders
    return folders


def _warning(address: str, share: float, used_bytes: int, quota_bytes: int | None) -> bytes:
    domain = address.rpartition("@")[2]
    percent = min(int(share * 100), 100)
    amount = ""
    if quota_bytes is not None:
        amount = f" ({used_bytes / 1e6:.1f} of {quota_bytes / 1e6:.1f} MB)"
    header = [
        address_field("From", f"Mail server <postmaster@{domain}>"),
        address_field("To", address),
        f"Subject: Your mailbox is {percent} % full\r\n".encode(),
        f"Date: {format_datetime(datetime.now(UTC))}\r\n".encode(),
        f"Message-ID: <{new_trace_id()}.quota@{settings.MAIL_HOSTNAME}>\r\n".encode(),
        b"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n",
    ]
    text = (
        f"Your mailbox {address} is {percent} % full{amount}.\n\n"
        "When it is full, no more mail can be delivered to you. Please delete what you do not need any more, and\n"
        "empty the folders Trash and Spam.\n"
    )
    return b"".join(header) + text_part(text)
