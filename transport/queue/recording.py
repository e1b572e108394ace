"""Writes what an attempt came to, WHERE the lease's token still matches: state, next try, report, trace.

One transaction, so that a recipient that is given up has its DSN, or is still waiting. A row that was held or deleted
while it was sent keeps that state, unless the attempt ended it: held ones may fail, and any may have been delivered.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from accounts.journal.trace import TraceEvent, write_trace
from accounts.mailstore.values import FolderId
from transport.database_threads import Connection
from transport.outbound.routes import LOCAL_HOP
from transport.queue.claim import Claimed, ClaimedRecipient
from transport.queue.outcomes import Outcome
from transport.queue.returning import Returned, ReturnedRecipient, return_report
from transport.queue.schedule import RetrySchedule
from transport.queue.verdicts import (
    CANCELLED,
    DELIVERED,
    FAILED,
    HELD,
    WAITING,
    Case,
    Verdict,
    judge,
)

_RECORD = """
UPDATE transport_queuedrecipient r
SET state = CASE WHEN (r.state = 'held' AND t.state = 'waiting') OR (r.state = 'cancelled' AND t.state <> 'delivered')
        THEN r.state ELSE t.state END,
    attempts = r.attempts + 1,
    next_attempt_at = clock_timestamp() + make_interval(secs => t.delay),
    lease_token = NULL,
    lease_until = NULL,
    last_status = t.status,
    last_reply = t.reply,
    last_host = t.host,
    last_attempt_at = clock_timestamp(),
    delay_notified = r.delay_notified OR t.is_delay_notice,
    finished_at = CASE WHEN t.state <> 'waiting' OR r.state = 'cancelled' THEN clock_timestamp() END
FROM jsonb_to_recordset(%(verdicts)s) AS t
    (id bigint, state text, delay double precision, status text, reply text, host text, is_delay_notice boolean)
WHERE r.id = t.id AND r.lease_token = %(token)s AND r.state IN ('waiting', 'held', 'cancelled')
RETURNING r.id, r.state
"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What to announce after the commit; `ids` are the recipients that were still ours."""

    ids: frozenset[int]
    folders: tuple[FolderId, ...] = ()
    next_hops: tuple[str, ...] = ()


def record(
    db: Connection,
    claimed: Claimed,
    outcomes: Mapping[int, Outcome],
    schedule: RetrySchedule,
    chance: random.Random,
    detail: Mapping[str, Any],
    *,
    with_reports: bool = True,
) -> Recorded:
    """Write the outcomes of these recipients; `detail` goes into the trace.

    `with_reports=False` is for when a report cannot be made: no DSN is sent, and a failure that somebody must
    hear of waits, so that it is tried again with its report.
    """
    tried = [recipient for recipient in claimed.recipients if recipient.id in outcomes]
    jitter = chance.random()
    verdicts = {
        recipient.id: judge(_case(claimed, recipient, outcomes[recipient.id]), schedule, jitter)
        for recipient in tried
    }
    if not with_reports:
        verdicts = {id: _unreported(verdict, schedule) for id, verdict in verdicts.items()}
    with db.transaction():
        rows = db.execute(
            _RECORD,
            {
                "token": claimed.token,
                "verdicts": json.dumps([_row(id, verdict) for id, verdict in verdicts.items()]),
            },
            prepare=True,
            binary=True,
        ).fetchall()
        states: dict[int, str] = {row[0]: row[1] for row in rows}
        kept = [recipient for recipient in tried if recipient.id in states]
        write_trace(
            db, [_event(claimed, one, verdicts[one.id], states[one.id], detail) for one in kept]
        )
        reported = [
            ReturnedRecipient(one.forward_path, one.orcpt, verdict.outcome, verdict.report)
            for one in kept
            if (verdict := verdicts[one.id]).report is not None and states[one.id] != CANCELLED
        ]
        returned = return_report(db, claimed, reported, schedule) if reported else Returned()
    hops = set(returned.next_hops)
    if any(state == WAITING and not verdicts[id].delay for id, state in states.items()):
        hops.add(claimed.next_hop)
    return Recorded(frozenset(states), returned.folders, tuple(hops))


def _unreported(verdict: Verdict, schedule: RetrySchedule) -> Verdict:
    if verdict.state == FAILED and verdict.report is not None:
        outcome = replace(verdict.outcome, status="4.3.0")
        return Verdict(WAITING, outcome, delay=schedule.delays[0])
    return replace(verdict, report=None)


def _case(claimed: Claimed, recipient: ClaimedRecipient, outcome: Outcome) -> Case:
    return Case(
        outcome,
        recipient.attempts,
        claimed.age,
        recipient.notify,
        claimed.reverse_path,
        recipient.delay_notified,
        is_local=claimed.next_hop == LOCAL_HOP,
    )


def _row(id: int, verdict: Verdict) -> dict[str, Any]:
    outcome = verdict.outcome
    return {
        "id": id,
        "state": verdict.state,
        "delay": verdict.delay.total_seconds(),
        "status": outcome.status,
        "reply": _storable(outcome.reply),
        "host": outcome.host[:300],
        "is_delay_notice": verdict.state == WAITING and verdict.report is not None,
    }


def _event(
    claimed: Claimed,
    recipient: ClaimedRecipient,
    verdict: Verdict,
    state: str,
    detail: Mapping[str, Any],
) -> TraceEvent:
    outcome = verdict.outcome
    result = "deferred" if state in (WAITING, HELD) else state
    more: dict[str, Any] = {
        "status": outcome.status,
        "host": outcome.host,
        "stage": outcome.stage.value,
        "attempt": recipient.attempts + 1,
    }
    if state == WAITING:
        more["retry_in_seconds"] = round(verdict.delay.total_seconds())
    if state == DELIVERED:
        more["seconds"] = round(claimed.age.total_seconds(), 3)
    return TraceEvent(
        claimed.trace_id,
        "send",
        result,
        _storable(outcome.reply),
        claimed.reverse_path,
        recipient.forward_path,
        claimed.queue_id,
        {**detail, **more},
    )


def _storable(text: str) -> str:
    """What PostgreSQL's text holds of a server's words."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
