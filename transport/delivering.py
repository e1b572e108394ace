"""Delivers a message: asks the scripts of its mailboxes, then carries out what is planned. A service for a database thread.

A delivery at the same moment may take a memory that a script has gone by (`duplicate`, vacation): then the scripts run
again, and see it.
"""

from dataclasses import dataclass, replace

from accounts.journal.acceptances import first_trace_id
from routing.decisions import Plan
from routing.delivery import file_spam
from routing.filtering.deciding import Arrived, filter_plan
from routing.filtering.memories import MemoryTaken
from transport.answers.refusal import refusal_reply
from transport.carrying import Carried, NoRoom, Repeated, carry_out
from transport.consignments import Consignment
from transport.database_threads import Connection

RUNS_MAXIMUM = 5


@dataclass(frozen=True, slots=True)
class Rejected:
    """All recipients refuse the message: nothing was done, and the sender is to hear this reply."""

    reply: str


def deliver(db: Connection, consignment: Consignment) -> Carried | Repeated | NoRoom:
    """Where nobody waits for a reply. Raises what `carry_out` raises."""
    outcome = _deliver(db, consignment, waits=False)
    assert not isinstance(outcome, Rejected)
    return outcome


def deliver_or_reject(
    db: Connection, consignment: Consignment
) -> Carried | Repeated | NoRoom | Rejected:
    """While the sender waits. Raises what `carry_out` raises."""
    return _deliver(db, consignment, waits=True)


def _deliver(
    db: Connection, consignment: Consignment, *, waits: bool
) -> Carried | Repeated | NoRoom | Rejected:
    verdicts = consignment.verdicts
    if not consignment.plan.is_for_scripts:
        return carry_out(db, replace(consignment, plan=file_spam(consignment.plan, verdicts)))
    arrived = Arrived(
        consignment.head + consignment.content,
        consignment.envelope,
        consignment.client,
        verdicts,
    )
    for _ in range(RUNS_MAXIMUM):
        plan = file_spam(filter_plan(db, consignment.plan, arrived), verdicts)
        reason = common_refusal(plan) if waits else None
        if reason is not None:
            fingerprint = consignment.fingerprint
            first_id = first_trace_id(db, fingerprint) if fingerprint is not None else None
            return Rejected(refusal_reply(reason)) if first_id is None else Repeated(first_id)
        try:
            return carry_out(db, replace(consignment, plan=plan))
        except MemoryTaken:
            continue
    raise MemoryTaken


def common_refusal(plan: Plan) -> str | None:
    """Why nobody takes the message, where all refuse it and a reply can say so; one reply covers all (RFC 5429 §2.2)."""
    refusals = [one.refusal for one in plan.filtered]
    if not refusals or plan.filings or plan.refilings or plan.sendings:
        return None
    if not all(refusal is not None and refusal.fits_reply for refusal in refusals):
        return None
    first = refusals[0]
    return None if first is None else first.reason
