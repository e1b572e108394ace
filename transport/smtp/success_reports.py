"""Notifications of success at the end of the way: RFC 3461 §5.2.2 (delivered) and §5.2.7.3 (expanded).

What leaves over the queue is reported by the queue.
"""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from accounts.mailstore.values import MailboxId
from routing.decisions import Reached, Resolution
from routing.envelope import Envelope, Recipient
from transport.carrying import Carried
from transport.database_threads import Connection
from transport.dsn.notify import is_wanted
from transport.dsn.report import Action, RecipientReport, Report
from transport.queue.returning import send_report
from transport.smtp.syntax import format_address

log = logging.getLogger(__name__)


def report_success(
    db: Connection,
    carried: Carried,
    envelope: Envelope,
    resolved: Iterable[tuple[Recipient, Resolution]],
    content: bytes,
    *,
    hostname: str,
    now: datetime,
) -> Carried:
    """Send what the sender asked to be told of, after the commit; `carried` with what is to be announced beside.

    A report that fails is logged: the message is delivered all the same.
    """
    if envelope.reverse_path is None:
        return carried
    reverse_path = format_address(envelope.reverse_path)
    reports = []
    domain = ""
    for recipient, resolution in resolved:
        action = _action(resolution, carried.refused)
        if action is not None and is_wanted(action, recipient.notify, reverse_path):
            domain = domain or recipient.address.domain
            reports.append(
                RecipientReport(
                    format_address(recipient.address), action, "2.1.5", orcpt=recipient.orcpt
                )
            )
    if not reports:
        return carried
    report = Report(hostname, tuple(reports), content, now, envelope.ret, envelope.envid)
    try:
        with db.transaction():
            sent = send_report(
                db,
                report,
                reverse_path=reverse_path,
                domain_name=domain,
                trace_id=carried.trace_id,
            )
    except Exception:  # whatever it is: the message is committed, and nobody may hear 451
        log.exception("%s: success could not be reported", carried.trace_id)
        return carried
    return replace(
        carried,
        folders=carried.folders + sent.folders,
        next_hops=carried.next_hops + sent.next_hops,
    )


def _action(resolution: Resolution, refused: tuple[MailboxId, ...]) -> Action | None:
    """What happened to the recipient here and now; None when it is the queue that knows, and for who refused it."""
    if not isinstance(resolution, Reached):
        return None
    if resolution.forwarder:
        return Action.EXPANDED
    if not resolution.mailboxes or any(mailbox.is_full for mailbox in resolution.mailboxes):
        return None
    if all(mailbox.id in refused for mailbox in resolution.mailboxes):
        return None
    return Action.DELIVERED
