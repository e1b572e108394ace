"""Sends delivery status notifications: to a mailbox here, or back over the queue (RFC 3464, RFC 5321 §4.5.5).

They leave from the null reverse-path, in the transaction that records what they are about.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings

from accounts.journal.trace import TraceEvent, write_trace
from accounts.mailstore.blobs import read_blob
from accounts.mailstore.values import FolderId
from transport.database_threads import Connection
from transport.dsn.report import Action, RecipientReport, Report, build_report
from transport.internal_mail import Outcome as SubmittedOutcome
from transport.internal_mail import submit_internal
from transport.queue.claim import Claimed
from transport.queue.enqueue import QueueRecipient, QueueRequest, enqueue
from transport.queue.outcomes import Outcome
from transport.queue.schedule import RetrySchedule


@dataclass(frozen=True, slots=True)
class ReturnedRecipient:
    """A recipient to report on."""

    forward_path: str
    orcpt: str
    outcome: Outcome
    action: Action | None


@dataclass(frozen=True, slots=True)
class Returned:
    """What to announce after the commit."""

    folders: tuple[FolderId, ...] = ()
    next_hops: tuple[str, ...] = ()


def return_report(
    db: Connection,
    claimed: Claimed,
    recipients: Sequence[ReturnedRecipient],
    schedule: RetrySchedule,
) -> Returned:
    """Tell the sender of a queued message what became of these recipients; inside the caller's transaction."""
    now = datetime.now(UTC)
    reports = tuple(
        RecipientReport(
            one.forward_path,
            one.action,
            _status(one),
            one.outcome.reply,
            one.outcome.host if one.outcome.is_remote else "",
            one.orcpt,
            last_attempt_at=now,
            will_retry_until=claimed.created_at + schedule.lifetime,
        )
        for one in recipients
        if one.action is not None
    )
    original = claimed.prefix + read_blob(db, claimed.blob_id)
    report = Report(
        settings.MAIL_HOSTNAME, reports, original, claimed.created_at, claimed.ret, claimed.envid
    )
    return send_report(
        db,
        report,
        reverse_path=claimed.reverse_path,
        domain_name=claimed.domain_name,
        trace_id=claimed.trace_id,
    )


def send_report(
    db: Connection, report: Report, *, reverse_path: str, domain_name: str, trace_id: str
) -> Returned:
    """Send a report about a message of `trace_id` to its reverse-path; `domain_name` is who reports.

    A sender who cannot be told because the mailbox is full is told later; one who does not exist is not.
    """
    content = build_report(
        report,
        sender=f"postmaster@{domain_name}",
        recipient=reverse_path,
        message_id=f"{uuid.uuid4()}@{domain_name}",
        date=datetime.now(UTC),
        boundary=f"report-{uuid.uuid4().hex}",
    )
    submitted = submit_internal(
        db,
        reverse_path="",
        recipient=reverse_path,
        content=content,
        domain_name=domain_name,
        cause="dsn",
    )
    write_trace(
        db,
        [
            TraceEvent(
                trace_id,
                "report",
                submitted.outcome.value,
                submitted.text,
                recipient=reverse_path,
                detail={"actions": sorted({one.action.value for one in report.recipients})},
            )
        ],
    )
    if submitted.outcome is SubmittedOutcome.LATER:
        queued = enqueue(
            db,
            QueueRequest(
                trace_id=f"dsn-{hashlib.sha256(content).hexdigest()[:16]}",
                content=content,
                reverse_path="",
                domain_name=domain_name,
                recipients=(QueueRecipient(reverse_path, notify="NEVER", is_local=True),),
            ),
        )
        return Returned(next_hops=queued.next_hops)
    return Returned(submitted.folders, submitted.next_hops)


def _status(one: ReturnedRecipient) -> str:
    """A status whose class fits the action (RFC 3464 §2.3.4)."""
    if one.action in (Action.DELIVERED, Action.RELAYED, Action.EXPANDED):
        return one.outcome.status if one.outcome.status.startswith("2") else "2.0.0"
    return one.outcome.status
