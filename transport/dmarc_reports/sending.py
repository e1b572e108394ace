"""Sends yesterday's reports through the queue. A service for a worker; many may run at once, each report goes once.

A report and the end of its tallies are one transaction. The record is read anew: the report shows the policy of its day's
end (RFC 9990 §3.3), and goes where the owner now wants it.
"""

import asyncio
import logging
from datetime import UTC, date, datetime, timedelta

from transport.authentication.dmarc_records import DnsTrouble, Record, Tree
from transport.authentication.look_up import LookUp
from transport.database_threads import Connection
from transport.dmarc_reports.destinations import destinations
from transport.dmarc_reports.document import Report, message_of
from transport.dmarc_reports.tallies import read_tally
from transport.internal_mail import submit_internal

REPORTS_MAXIMUM = 2000  # in one run
ROWS_MAXIMUM = 10_000  # in one report, the largest counts
DAYS_TRIED = 3  # while DNS is in trouble

log = logging.getLogger(__name__)

_DUE = """
SELECT DISTINCT day, policy_domain FROM transport_dmarctally WHERE day < %s ORDER BY day, policy_domain LIMIT %s
"""
_TAKE = """
WITH taken AS (
    DELETE FROM transport_dmarctally WHERE day = %s AND policy_domain = %s RETURNING facts, count
)
SELECT facts, count FROM taken ORDER BY count DESC LIMIT %s
"""
_FORGET = "DELETE FROM transport_dmarctally WHERE day < %s"


def send_reports(db: Connection, sender: str, look_up: LookUp, now: datetime) -> list[str]:
    """Send what is due; the next hops to wake. `sender` is the address that reports, "" to send none."""
    today = now.astimezone(UTC).date()
    next_hops: dict[str, None] = {}
    due = db.execute(_DUE, (today, REPORTS_MAXIMUM)).fetchall() if sender else []
    for day, policy_domain in due:
        try:
            record, recipients = asyncio.run(_wanted(policy_domain, look_up))
        except DnsTrouble as error:
            log.warning("DMARC report for %s waits: %s", policy_domain, error)
            continue
        next_hops |= dict.fromkeys(_send(db, sender, policy_domain, day, record, recipients, now))
    db.execute(_FORGET, (today - timedelta(days=DAYS_TRIED),))
    return list(next_hops)


async def _wanted(policy_domain: str, look_up: LookUp) -> tuple[Record | None, tuple[str, ...]]:
    record = await Tree(look_up).record(policy_domain)
    return record, await destinations(record, look_up) if record else ()


def _send(
    db: Connection,
    sender: str,
    policy_domain: str,
    day: date,
    record: Record | None,
    recipients: tuple[str, ...],
    now: datetime,
) -> list[str]:
    """From the null path: nobody is told of a report that cannot be delivered."""
    next_hops: list[str] = []
    with db.transaction():
        rows = db.execute(_TAKE, (day, policy_domain, ROWS_MAXIMUM)).fetchall()
        if not rows or record is None:
            return []
        report = Report(sender, record, day, [(read_tally(facts), count) for facts, count in rows])
        for recipient in recipients:
            submitted = submit_internal(
                db,
                reverse_path="",
                recipient=recipient,
                content=message_of(report, recipient, now),
                domain_name=report.reporter,
                cause="dmarc",
            )
            next_hops += submitted.next_hops
    return next_hops
