"""Sends yesterday's reports through the queue. A service for a worker; many may run at once, each report goes once.

A report and the end of its tallies are one transaction. The record is read anew: the report shows the policy of its day's
end (RFC 9990 §3.3), and goes where the owner now wants it.
"""

import asyncio
import logging
from datetime import UTC, date, datetime, timedelta

from accounts.directory import local_domains
from transport.authentication.dmarc_records import DnsTrouble, Record, Tree
from transport.authentication.look_up import LookUp
from transport.database_threads import Connection
from transport.dmarc_reports.destinations import destinations
from transport.dmarc_reports.document import Report, message_of
from transport.dmarc_reports.tallies import read_tally
from transport.internal_mail import submit_internal

REPORTS_MAXIMUM = 2000  # in one run
BATCH = 50  # domains that are asked about at once
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
    for batch in _due(db, sender, today):
        wanted = asyncio.run(_wanted([domain for _, domain in batch], look_up))
        for (day, domain), answer in zip(batch, wanted, strict=True):
            if isinstance(answer, DnsTrouble):
                log.warning("the DMARC report for %s waits: %s", domain, answer)
                continue
            try:
                hops = _send(db, sender, domain, day, *answer, now)
            except Exception:
                if db.closed:
                    raise
                log.exception("the DMARC report for %s waits", domain)
                continue
            next_hops |= dict.fromkeys(hops)
    db.execute(_FORGET, (today - timedelta(days=DAYS_TRIED),))
    return list(next_hops)


def _due(db: Connection, sender: str, today: date) -> list[list[tuple[date, str]]]:
    """(day, policy domain) of each report, in batches. Nothing leaves unsigned: a report has to pass DMARC (§3.5.2)."""
    if not sender:
        return []
    if not local_domains(db, {sender.rpartition("@")[2]}):
        log.error("no DMARC report is sent: %s is not in a domain of this server", sender)
        return []
    rows = db.execute(_DUE, (today, REPORTS_MAXIMUM)).fetchall()
    return [rows[at : at + BATCH] for at in range(0, len(rows), BATCH)]


_Wanted = tuple[Record | None, tuple[str, ...]]


async def _wanted(domains: list[str], look_up: LookUp) -> list[_Wanted | DnsTrouble]:
    """The record of each domain, and who wants its report."""

    async def ask(domain: str) -> _Wanted | DnsTrouble:
        try:
            record = await Tree(look_up).record(domain)
            return record, await destinations(record, look_up) if record else ()
        except DnsTrouble as error:
            return error

    return await asyncio.gather(*map(ask, domains))


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
