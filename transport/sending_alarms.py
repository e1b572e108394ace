"""Tells the administrator by mail whose limit of sending is reached: once until it is free again. On a worker.

It goes to postmaster of the sender's domain, which reaches the administrator unless somebody else has that address; where
the domain has no mail, to the administrator. The mark and the message are one transaction, as in `quota_warnings`.
"""

import logging
from datetime import UTC, datetime
from email.utils import format_datetime

import psycopg
from django.conf import settings

from accounts.directory import POSTMASTER, look_up_postmaster
from accounts.mailstore.values import FolderId
from transport.answers.composing import address_field, text_field, text_part
from transport.database_threads import Connection
from transport.internal_mail import Outcome, submit_internal
from transport.smtp.trace_fields import new_trace_id

log = logging.getLogger(__name__)

_IS_UNTOLD = "c.refused_at > COALESCE(c.told_until, '-infinity')"
_UNTOLD = f"SELECT id FROM accounts_sendingcount c WHERE {_IS_UNTOLD} ORDER BY id"
_TELL = f"""
UPDATE accounts_sendingcount c SET told_until = c.full_until
FROM accounts_sendingcount s
LEFT JOIN accounts_user u ON u.id = s.user_id LEFT JOIN accounts_app p ON p.id = s.app_id
JOIN accounts_domain d ON d.id = COALESCE(u.domain_id, p.domain_id)
WHERE c.id = %s AND s.id = c.id AND {_IS_UNTOLD}
RETURNING COALESCE(u.username, NULLIF(p.local_part, ''), p.name || '.app') || '@' || d.name,
    CASE WHEN d.mail_enabled THEN d.name END, c.refusal, c.full_until, c.refused, c.day_messages, c.day_recipients,
    c.day_began, c.clients, u.id IS NOT NULL, c.by_scripts
"""


def tell_administrator(db: Connection) -> tuple[list[FolderId], list[str]]:
    """Tell of every limit that is news; the folders and next hops to announce. `db` is in autocommit."""
    folders: list[FolderId] = []
    hops: list[str] = []
    for (count,) in db.execute(_UNTOLD).fetchall():
        try:
            with db.transaction() as transaction:
                row = db.execute(_TELL, (count,)).fetchone()
                if row is None:
                    continue
                postmaster = _postmaster(db, row[1])
                if postmaster is None:
                    log.warning("%s is over %s, and there is no administrator to tell", *row[0:3:2])
                    continue
                told = submit_internal(
                    db,
                    reverse_path="",
                    recipient=postmaster,
                    content=_alarm(postmaster, *row[:1], *row[2:]),
                    cause="internal",
                )
                if told.outcome is Outcome.LATER:
                    raise psycopg.Rollback(transaction)
                folders += told.folders
                hops += told.next_hops
        except (psycopg.Error, OSError):
            log.exception("the administrator could not be told of a limit of sending")
            if db.closed:
                raise
    return folders, hops


def _postmaster(db: Connection, mail_domain: str | None) -> str | None:
    if mail_domain is not None:
        return f"{POSTMASTER}@{mail_domain}"
    found = look_up_postmaster(db)
    return found.address if found is not None else None


def _alarm(
    postmaster: str,
    address: str,
    limit: str,
    until: datetime,
    refused: int,
    messages: int,
    recipients: int,
    since: datetime,
    clients: list[str],
    is_user: bool,
    by_scripts: bool,
) -> bytes:
    who = f"The filters of {address}" if by_scripts else address
    kept = "What they redirect is kept in the mailbox" if by_scripts else "It is kept back"
    header = [
        address_field("From", f"Mail server <{postmaster}>"),
        address_field("To", postmaster),
        text_field(
            "Subject", f"{address} has reached a limit of sending{' by filters' * by_scripts}"
        ),
        f"Date: {format_datetime(datetime.now(UTC))}\r\n".encode(),
        f"Message-ID: <{new_trace_id()}.limit@{settings.MAIL_HOSTNAME}>\r\n".encode(),
        b"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n",
    ]
    secret = "password" if is_user else "credentials"
    text = (
        f"{who} may send {limit}, and would send more. {kept} until {until:%Y-%m-%d %H:%M} UTC.\n\n"
        f"Sent since {since:%Y-%m-%d %H:%M} UTC: {messages} messages to {recipients} recipients.\n"
        f"Kept back so far: {refused} attempts.\n"
        f"From: {', '.join(clients) or 'nowhere known'}\n\n"
        f"If this is not what they meant to send, the {secret} may be stolen: disable the account, or give it new\n"
        f"{secret}. If it is, raise the limits of the account or its domain in the admin, or begin anew under\n"
        "Sending limits.\n"
    )
    return b"".join(header) + text_part(text)
