"""From the last octet of a message to its place: one hop to a database thread.

Count the Received fields, check and complete what a login submits (`submitting`), render, plan, carry out.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from accounts.allowances import Full
from accounts.entries import Login
from accounts.journal.acceptances import first_trace_id
from accounts.journal.trace import TraceEvent
from accounts.mailstore.headers import HEADER_LIMIT, header_end
from accounts.sending import Charge, OverLimit, sender_of
from routing.decisions import Plan, Resolution
from routing.envelope import Client, Envelope, Recipient
from transport.carrying import Carried, NoRoom, Repeated
from transport.consignments import Consignment, fingerprint_of
from transport.database_threads import Connection
from transport.delivering import Rejected, deliver_or_reject
from transport.smtp.admission import full_reply
from transport.smtp.judgement import Gathered, Judgement, judge_message
from transport.smtp.submitting import complete_submission
from transport.smtp.success_reports import report_success
from transport.smtp.trace_fields import RECEIVED_MAXIMUM, count_received, received_field

BUSY = "450 4.7.1 your limits were reached a moment ago: try again"


@dataclass(frozen=True, slots=True)
class Arrival:
    """A whole message, and all that is known of it.

    `login` is None on port 25; there `gathered` is what was found out about the message, None where it is not judged.
    """

    trace_id: str
    hostname: str
    client: Client
    envelope: Envelope
    resolved: tuple[tuple[Recipient, Resolution], ...]
    plan: Plan
    content: bytes
    login: Login | None
    gathered: Gathered | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """It is held for every recipient; `fingerprint` is to be forgotten once the client has heard of it."""

    carried: Carried
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The whole reply, and what the log says; `events` are for the trace. `full`: the limit that kept it back."""

    reply: str
    events: tuple[TraceEvent, ...] = ()
    full: Full | None = None


def accept_message(db: Connection, arrival: Arrival) -> Accepted | Repeated | Refused:
    """Take responsibility for a message, or say why not. Raises when we fail; then nothing was done."""
    content, login = arrival.content, arrival.login
    header_size = header_end(content)
    if header_size > HEADER_LIMIT:
        return Refused("552 5.3.4 the header is too large")
    if content[:1] in (b" ", b"\t"):  # it would be read as part of the Received field before it
        return Refused("550 5.6.0 the header begins with a continuation line")
    if count_received(content[:header_size]) > RECEIVED_MAXIMUM:
        return Refused("554 5.4.6 too many Received fields: the message is in a loop")
    fingerprint = fingerprint_of(arrival.client, arrival.envelope, hashlib.sha256(content).digest())
    now = datetime.now(UTC)
    sign_as = ""
    if login is not None:
        submitted = complete_submission(
            db, login, content, trace_id=arrival.trace_id, hostname=arrival.hostname, now=now
        )
        if isinstance(submitted, str):
            return Refused(submitted)
        content, sign_as = submitted.content, submitted.sign_as
    recipients = arrival.envelope.recipients
    received = received_field(
        arrival.client,
        arrival.hostname,
        arrival.trace_id,
        now,
        only_recipient=recipients[0].address if len(recipients) == 1 else None,
        smtputf8=arrival.envelope.smtputf8,
    )
    judgement = Judgement(arrival.plan)
    fields = b""
    if arrival.gathered is not None:
        if arrival.gathered.deferral:
            return Refused(arrival.gathered.deferral)
        fields = arrival.gathered.fields
        judgement = judge_message(
            db,
            arrival.trace_id,
            arrival.client,
            arrival.envelope,
            arrival.plan,
            fields + received + content,
            arrival.gathered,
        )
        if judgement.refusal:
            first_id = first_trace_id(db, fingerprint)
            if first_id is not None:
                return Repeated(first_id)
            return Refused(judgement.refusal, judgement.events)
    consignment = Consignment(
        trace_id=arrival.trace_id,
        client=arrival.client,
        envelope=arrival.envelope,
        plan=judgement.plan,
        content=content,
        received=received,
        cause="smtp" if login is None else "submission",
        fingerprint=fingerprint,
        sender_domain=login.domain_name if login is not None else "",
        sign_as=sign_as,
        fields=fields,
        verdicts=judgement.verdicts,
        events=judgement.events,
        charge=Charge(login, len(recipients), arrival.client.address) if login else None,
    )
    try:
        carried = deliver_or_reject(db, consignment)
    except OverLimit:
        assert login is not None
        _, allowance = sender_of(db, login)
        full = allowance.full(len(recipients))
        return Refused(full.reply if full else BUSY, full=full)
    match carried:
        case Carried() if judgement.is_spam:  # whoever wrote it named any sender
            return Accepted(carried, fingerprint)
        case Carried():
            told = report_success(
                db,
                carried,
                arrival.envelope,
                arrival.resolved,
                content,
                hostname=arrival.hostname,
                now=now,
            )
            return Accepted(told, fingerprint)
        case Repeated():
            return carried
        case NoRoom():
            return Refused(full_reply(db, recipients[0].address.domain))
        case Rejected(reply):
            return Refused(reply)
