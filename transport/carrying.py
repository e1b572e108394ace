"""Carries out a plan: append, enqueue, trace, in one database transaction. The only place that does.

Services for a database thread. The caller announces what was done after the commit (`announcements` of what is
returned): folders to the notifier, next hops to the queue's wake-ups.
"""

import hashlib
from contextlib import nullcontext
from dataclasses import dataclass, replace
from enum import Enum

from django.conf import settings

from accounts.addresses import Address
from accounts.directory import srs_address
from accounts.journal.acceptances import (
    Acceptance,
    AlreadyAccepted,
    first_trace_id,
    remember,
)
from accounts.journal.trace import TraceEvent, write_trace
from accounts.mailstore.append import append_message
from accounts.mailstore.values import FolderId, NewMessage, OverQuota, Placement, new_message
from routing.decisions import Elsewhere, Plan, Reached, Refiling, Sending, Unreachable
from routing.delivery import plan_delivery
from routing.envelope import Client, Envelope, Recipient
from routing.resolution import resolve
from transport.database_threads import Connection
from transport.queue.enqueue import QueueRecipient, QueueRequest, enqueue
from transport.signing import sign
from transport.smtp.syntax import CommandError, format_address, parse_path
from transport.smtp.trace_fields import delivery_fields, new_trace_id


@dataclass(frozen=True, slots=True)
class Consignment:
    """What is to be carried. The blob is `content`; `received` is our own field, kept out of it.

    `sender_domain` is the local domain that sends what leaves under the sender's own name; `sign_as` the domain of
    its DKIM signature, or "". `fingerprint` (32 octets) names the transaction for a repetition; None: never one.
    """

    trace_id: str
    client: Client
    envelope: Envelope
    plan: Plan
    content: bytes
    received: bytes
    cause: str
    fingerprint: bytes | None = None
    sender_domain: str = ""
    sign_as: str = ""


@dataclass(frozen=True, slots=True)
class Carried:
    """The message is held for every recipient. `folders` and `next_hops` are to be announced after the commit."""

    trace_id: str
    folders: tuple[FolderId, ...] = ()
    next_hops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same transaction was carried out before, under this id; nothing was done now."""

    trace_id: str


@dataclass(frozen=True, slots=True)
class NoRoom:
    """Nothing was done: every mailbox has become full since RCPT."""


class Outcome(Enum):
    """What became of a message that this server sends itself."""

    DONE = "done"
    LATER = "later"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Submitted:
    """`status` is of RFC 3463. `folders` and `next_hops` as in Carried."""

    outcome: Outcome
    status: str
    text: str
    folders: tuple[FolderId, ...] = ()
    next_hops: tuple[str, ...] = ()


def fingerprint_of(client: Client, envelope: Envelope, content_sha256: bytes) -> bytes:
    """What makes two transactions the same one: the client, the envelope and the bytes."""
    envelope_text = repr((client.address, client.login, envelope))
    return hashlib.sha256(envelope_text.encode() + content_sha256).digest()


def carry_out(db: Connection, consignment: Consignment) -> Carried | Repeated | NoRoom:
    """Store and enqueue, all or nothing. A mailbox that has become full is served by the queue, if another is not.

    Raises what the database or the mail store raises; then nothing was done.
    """
    # what takes time comes before the transaction: it holds locks on folders
    message = new_message(consignment.content) if consignment.plan.filings else None
    signature = b""
    if consignment.sign_as and consignment.plan.sendings:
        signature = sign(db, consignment.content, consignment.sign_as)
    while True:
        plan = consignment.plan
        is_one_statement = message is not None and not plan.sendings and not plan.refilings
        try:
            with nullcontext() if is_one_statement else db.transaction():
                return _carry(db, consignment, message, signature)
        except AlreadyAccepted:
            first_id = first_trace_id(db, consignment.fingerprint or b"")
            if first_id is not None:
                return Repeated(first_id)  # otherwise it was forgotten at this moment: once more
        except OverQuota as error:
            plan = _without(consignment.plan, error.owner)
            if not plan.filings and not plan.sendings:
                return NoRoom()
            consignment = replace(consignment, plan=plan)


def submit_internal(
    db: Connection,
    *,
    reverse_path: str,
    recipient: str,
    content: bytes,
    domain_name: str = "",
    cause: str = "internal",
) -> Submitted:
    """Send a message of this server's own (a DSN), or repeat a local delivery, in the caller's transaction or an own.

    `reverse_path` ("" is null) and `recipient` as on the wire, without brackets. What leaves is signed as
    `domain_name`, if that is given. No Received field is added: the message begins here.
    """
    try:
        sender = parse_path(reverse_path) if reverse_path else None
        address = parse_path(recipient)
    except CommandError as error:
        return Submitted(Outcome.NEVER, "5.1.3", str(error))
    resolution = resolve(db, address, is_bounce=sender is None)
    match resolution:
        case Unreachable.UNKNOWN:
            return Submitted(Outcome.NEVER, "5.1.1", "no such address")
        case Unreachable.DISABLED:
            return Submitted(Outcome.NEVER, "5.2.1", "the mailbox is disabled")
        case Unreachable.FULL:
            return Submitted(Outcome.LATER, "4.2.2", "the mailbox is full")
        case Elsewhere() | Reached():
            pass
    to = Recipient(address, notify="NEVER" if sender is None else "")
    consignment = Consignment(
        trace_id=new_trace_id(),
        client=Client("", "", ""),
        envelope=Envelope(sender, (to,)),
        plan=plan_delivery([(to, resolution)]),
        content=content,
        received=b"",
        cause=cause,
        sender_domain=domain_name,
        sign_as=domain_name,
    )
    carried = carry_out(db, consignment)
    if isinstance(carried, Carried):
        return Submitted(
            Outcome.DONE, "2.0.0", carried.trace_id, carried.folders, carried.next_hops
        )
    return Submitted(Outcome.LATER, "4.2.2", "the mailbox is full")


def _carry(
    db: Connection, consignment: Consignment, message: NewMessage | None, signature: bytes
) -> Carried:
    trace_id, fingerprint, plan = consignment.trace_id, consignment.fingerprint, consignment.plan
    once = Acceptance(fingerprint, trace_id) if fingerprint is not None else None
    folders: tuple[FolderId, ...] = ()
    if plan.filings and message is not None:
        appended = append_message(
            db,
            message,
            _placements(consignment),
            cause=consignment.cause,
            trace=_filed_events(consignment),
            once=once,
        )
        folders = tuple(dict.fromkeys(entry.folder_id for entry in appended))
    elif once is not None:
        remember(db, once)
    requests = [
        *(_sending_request(db, consignment, sending, signature) for sending in plan.sendings),
        *_refiling_requests(consignment),
    ]
    hops: dict[str, None] = {}
    events = []
    for request in requests:
        queued = enqueue(db, request)
        hops.update(dict.fromkeys(queued.next_hops))
        events.append(
            TraceEvent(
                trace_id,
                "queue",
                "enqueued",
                sender=request.reverse_path,
                recipient=", ".join(r.forward_path for r in request.recipients)[:500],
                queue_id=queued.queue_id,
                detail=_origin(consignment),
            )
        )
    if events:
        write_trace(db, events)
    return Carried(trace_id, folders, tuple(hops))


def _placements(consignment: Consignment) -> list[Placement]:
    reverse_path = consignment.envelope.reverse_path
    return [
        Placement(
            owner=filing.mailbox.id,
            prefix=delivery_fields(reverse_path, filing.recipient.address) + consignment.received,
        )
        for filing in consignment.plan.filings
    ]


def _filed_events(consignment: Consignment) -> list[TraceEvent]:
    sender = _path(consignment.envelope.reverse_path)
    origin = _origin(consignment)
    return [
        TraceEvent(
            consignment.trace_id,
            "deliver",
            "filed",
            sender=sender,
            recipient=str(filing.recipient.address),
            detail=origin,
        )
        for filing in consignment.plan.filings
    ]


def _origin(consignment: Consignment) -> dict[str, str | int]:
    client = consignment.client
    return {
        "client": client.address,
        "helo": client.helo,
        "login": client.login,
        "size": len(consignment.content),
    }


def _sending_request(
    db: Connection, consignment: Consignment, sending: Sending, signature: bytes
) -> QueueRequest:
    reverse_path = consignment.envelope.reverse_path
    if sending.forwarder and not consignment.client.login and reverse_path is not None:
        reverse_path = srs_address(db, sending.forwarder, format_address(reverse_path))
    return _request(
        consignment,
        reverse_path,
        sending.forwarder or consignment.sender_domain or settings.MAIL_HOSTNAME,
        tuple(
            QueueRecipient(format_address(to.address), to.notify, to.orcpt)
            for to in sending.recipients
        ),
        signature + consignment.received,
    )


def _refiling_requests(consignment: Consignment) -> list[QueueRequest]:
    """One request a mailbox: each copy has its own Delivered-To, which the queue's prefix keeps."""
    reverse_path = consignment.envelope.reverse_path
    return [
        _request(
            consignment,
            reverse_path,
            consignment.sender_domain or settings.MAIL_HOSTNAME,
            (
                QueueRecipient(
                    refiling.mailbox.address,
                    refiling.recipient.notify,
                    refiling.recipient.orcpt,
                    is_local=True,
                ),
            ),
            consignment.received,
        )
        for refiling in consignment.plan.refilings
    ]


def _request(
    consignment: Consignment,
    reverse_path: Address | None,
    domain_name: str,
    recipients: tuple[QueueRecipient, ...],
    prefix: bytes,
) -> QueueRequest:
    envelope = consignment.envelope
    return QueueRequest(
        trace_id=consignment.trace_id,
        content=consignment.content,
        reverse_path=_path(reverse_path),
        domain_name=domain_name,
        recipients=recipients,
        prefix=prefix,
        login=consignment.client.login,
        ret=envelope.ret,
        envid=envelope.envid,
        body=envelope.body,
        smtputf8=envelope.smtputf8,
    )


def _without(plan: Plan, owner: int) -> Plan:
    """The plan with one mailbox's copy left to the queue."""
    full = [filing for filing in plan.filings if filing.mailbox.id == owner]
    return replace(
        plan,
        filings=tuple(filing for filing in plan.filings if filing.mailbox.id != owner),
        refilings=plan.refilings + tuple(Refiling(one.mailbox, one.recipient) for one in full),
    )


def _path(address: Address | None) -> str:
    return "" if address is None else format_address(address)
