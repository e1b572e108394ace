"""Carries out a plan: append, enqueue, trace, in one database transaction. The only place that does.

Services for a database thread. The caller announces what was done after the commit (`announcements` of what is
returned): folders to the notifier, next hops to the queue's wake-ups.
"""

import uuid
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from django.conf import settings

from accounts.journal.acceptances import (
    Acceptance,
    AlreadyAccepted,
    first_trace_id,
    remember,
)
from accounts.journal.trace import TraceEvent, write_trace
from accounts.mailstore.append import append_message
from accounts.mailstore.blobs import keep_blob
from accounts.mailstore.locking import take_turn
from accounts.mailstore.values import (
    FolderId,
    MailboxId,
    NewMessage,
    NoSuchFolder,
    OverQuota,
    Placement,
    new_message,
)
from accounts.sending import (
    OverLimit,
    Refusals,
    ScriptCharge,
    charge,
    charge_if_accepted,
    charge_owner,
    held_by_limits,
    note_refusals,
    refusal_of_owner,
)
from routing.decisions import Plan, Refiling
from routing.filtering.keeping import keep_here
from routing.filtering.memories import remember as remember_all
from transport.consignments import Consignment, path_text
from transport.database_threads import Connection
from transport.placing import Placed, by_name, place
from transport.queue.enqueue import enqueue
from transport.queue_requests import requests_of
from transport.script_orders import Deposit, Orders, Writing, orders_for
from transport.signing import sign
from transport.smtp.trace_fields import delivery_fields


@dataclass(frozen=True, slots=True)
class Carried:
    """The message is held for every recipient. `folders` and `next_hops` are to be announced after the commit.

    `refused`: the mailboxes whose scripts refuse it, of which the sender was told by mail. `kept`: those that keep it, since
    their scripts may send nothing more for now.
    """

    trace_id: str
    folders: tuple[FolderId, ...] = ()
    next_hops: tuple[str, ...] = ()
    refused: tuple[MailboxId, ...] = ()
    kept: tuple[MailboxId, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same transaction was carried out before, under this id; nothing was done now."""

    trace_id: str


@dataclass(frozen=True, slots=True)
class NoRoom:
    """Nothing was done: every mailbox has become full since RCPT."""


def carry_out(db: Connection, consignment: Consignment) -> Carried | Repeated | NoRoom:
    """Store and enqueue, all or nothing. A mailbox that has become full is served by the queue, if another is not.

    Scripts whose owner's limits of sending are reached send nothing: the message stays in the mailbox.

    Raises what the database or the mail store raises, MemoryTaken and OverLimit: then nothing was done.
    """
    load = _load(
        db, consignment
    )  # what takes time comes before the transaction: that holds locks on folders
    is_careful = False
    kept_back: tuple[Refusals, ...] = ()
    kept: tuple[MailboxId, ...] = ()
    while True:
        plan = consignment.plan
        is_one_statement = (
            not is_careful
            and not kept
            and (consignment.charge is None or consignment.fingerprint is not None)
            and load.is_one_statement(plan)
        )
        try:
            with nullcontext() if is_one_statement else db.transaction():
                carried = _carry(db, consignment, load, is_one_statement=is_one_statement)
                if not is_one_statement:
                    _charge(db, consignment, load, kept_back)
                return replace(carried, kept=kept) if kept else carried
        except AlreadyAccepted:
            first_id = first_trace_id(db, consignment.fingerprint or b"")
            if first_id is not None:
                return Repeated(first_id)  # otherwise it was forgotten at this moment: once more
        except NoSuchFolder:
            if not is_one_statement or not load.orders:
                raise
            is_careful = True  # a folder is to be made, or went since it was looked up
        except OverLimit as error:
            if error.mailbox is None:
                raise
            [one] = [
                one for one in _script_charges(consignment, load) if one.mailbox == error.mailbox
            ]
            refusal = refusal_of_owner(db, one)
            if refusal is not None:
                kept_back = (*kept_back, refusal)
            kept = (*kept, error.mailbox)
            limit = refusal.full.limit if refusal else "no more"
            consignment = replace(consignment, plan=keep_here(plan, error.mailbox, limit))
            load = _load(db, consignment)
        except OverQuota as error:
            consignment = replace(consignment, plan=_without(plan, error.owner))
            load = load.without(error.owner)
            plan = consignment.plan
            if not plan.filings and not plan.filtered and not plan.sendings:
                return NoRoom()


@dataclass(frozen=True, slots=True)
class _Load:
    """What is made of a consignment before its transaction. `own` are contents that scripts made or changed."""

    message: NewMessage | None
    orders: tuple[Orders, ...]
    own: Mapping[bytes, NewMessage]
    signatures: Mapping[bytes | None, bytes]

    def is_one_statement(self, plan: Plan) -> bool:
        """Whether nothing is written but one message into folders that are there."""
        return (
            self.message is not None
            and not plan.sendings
            and not plan.refilings
            and all(
                not one.mails and not one.memories and all(map(_is_plain, one.deposits))
                for one in self.orders
            )
            and bool(plan.filings or any(one.deposits for one in self.orders))
        )

    def without(self, owner: int) -> "_Load":
        orders = tuple(one for one in self.orders if one.filtered.mailbox.id != owner)
        return replace(self, orders=orders)


def _is_plain(deposit: Deposit) -> bool:
    return deposit.content is None


def _load(db: Connection, consignment: Consignment) -> _Load:
    plan, content = consignment.plan, consignment.content
    writing = Writing(settings.MAIL_HOSTNAME, datetime.now(UTC), lambda: str(uuid.uuid4()))
    orders = tuple(
        orders_for(
            one,
            consignment.envelope,
            content,
            consignment.head,
            consignment.head_for(one.mailbox.id),
            writing,
        )
        for one in plan.filtered
    )
    deposits = [deposit for one in orders for deposit in one.deposits]
    own = {one.content for one in deposits if one.content is not None}
    is_filed = bool(plan.filings) or any(one.content is None for one in deposits)
    signatures: dict[bytes | None, bytes] = {}
    if consignment.sign_as and plan.sendings:
        signatures[None] = sign(db, content, consignment.sign_as)
    for mail in (mail for one in orders for mail in one.mails):
        if mail.is_forward and mail.content is not None:
            continue  # a script's words are not signed for the sender
        domain_name = consignment.sign_as if mail.is_forward else mail.domain_name
        if domain_name and mail.content not in signatures:
            signed = content if mail.content is None else mail.content
            signatures[mail.content] = sign(db, signed, domain_name)
    return _Load(
        message=new_message(content) if is_filed else None,
        orders=orders,
        own={one: new_message(one) for one in own},
        signatures=signatures,
    )


def _carry(
    db: Connection, consignment: Consignment, load: _Load, *, is_one_statement: bool
) -> Carried:
    trace_id, fingerprint, plan = consignment.trace_id, consignment.fingerprint, consignment.plan
    once = Acceptance(fingerprint, trace_id) if fingerprint is not None else None
    if load.orders and not is_one_statement:
        _take_locks(db, consignment, load)
    only = None
    if is_one_statement and not plan.filings and len(load.orders) == 1:
        only = by_name(load.orders[0])
    if only is not None:
        placed = [Placed(load.orders[0].filtered, {None: (only,)})]
    else:
        placed = [place(db, one, may_create=not is_one_statement) for one in load.orders]
    trace = [
        *consignment.events,
        *_filed_events(consignment, placed),
        *_sieve_events(consignment, placed),
    ]
    placements = [
        *_placements(consignment),
        *(place for one in placed for place in one.placements.get(None, ())),
    ]
    folders: list[FolderId] = []
    if placements and load.message is not None:
        last = None
        if is_one_statement and consignment.charge is not None and fingerprint is not None:
            last = charge_if_accepted(consignment.charge, fingerprint)
        with held_by_limits(None):
            appended = append_message(
                db,
                load.message,
                placements,
                cause=consignment.cause,
                trace=trace,
                once=once,
                last=last,
            )
        folders += [entry.folder_id for entry in appended]
    else:
        if once is not None:
            remember(db, once)
        write_trace(db, trace)
    for content, own in load.own.items():
        own_placements = [place for one in placed for place in one.placements.get(content, ())]
        if own_placements:
            appended = append_message(db, own, own_placements, cause=consignment.cause)
            folders += [entry.folder_id for entry in appended]
    hops = _enqueue(db, consignment, load)
    refused = tuple(one.mailbox.id for one in plan.filtered if one.refusal is not None)
    return Carried(trace_id, tuple(dict.fromkeys(folders)), hops, refused)


def _charge(
    db: Connection, consignment: Consignment, load: _Load, kept_back: Sequence[Refusals]
) -> None:
    """Last of all: the rows of counts are locked until the commit, those of scripts before those of logins."""
    for one in _script_charges(consignment, load):
        charge_owner(db, one)
    note_refusals(db, kept_back)
    if consignment.charge is not None:
        charge(db, consignment.charge)


def _script_charges(consignment: Consignment, load: _Load) -> list[ScriptCharge]:
    """In one order, so that two never wait for each other."""
    charges = [
        ScriptCharge(
            one.filtered.mailbox.id,
            len(one.mails),
            sum(len(mail.recipients) for mail in one.mails),
            consignment.client.address,
        )
        for one in load.orders
        if one.mails
    ]
    return sorted(charges, key=lambda one: one.mailbox)


def _take_locks(db: Connection, consignment: Consignment, load: _Load) -> None:
    """Everything in the store's one order, since several statements follow; memories are before all. Raises MemoryTaken."""
    remember_all(db, [memory for one in load.orders for memory in one.memories])
    contents = {message.sha256: message.content for message in load.own.values()}
    if load.message is not None:
        contents[load.message.sha256] = load.message.content
    for sha256 in sorted(contents):
        keep_blob(db, contents[sha256], sha256)
    only_sent = {one.filtered.mailbox.id for one in load.orders if not one.deposits}
    for owner in sorted(set(consignment.plan.owners) - only_sent):
        take_turn(db, owner)


def _enqueue(db: Connection, consignment: Consignment, load: _Load) -> tuple[str, ...]:
    """What leaves, now or later; the next hops."""
    mails = [mail for one in load.orders for mail in one.mails]
    requests = requests_of(db, consignment, mails, load.signatures)
    hops: dict[str, None] = {}
    events = []
    for request in requests:
        queued = enqueue(db, request)
        hops.update(dict.fromkeys(queued.next_hops))
        events.append(
            TraceEvent(
                consignment.trace_id,
                "queue",
                "enqueued",
                sender=request.reverse_path,
                recipient=", ".join(r.forward_path for r in request.recipients)[:500],
                queue_id=queued.queue_id,
                detail=_origin(consignment),
            )
        )
    write_trace(db, events)
    return tuple(hops)


def _placements(consignment: Consignment) -> list[Placement]:
    reverse_path = consignment.envelope.reverse_path
    return [
        Placement(
            owner=filing.mailbox.id,
            prefix=delivery_fields(reverse_path, filing.recipient.address)
            + consignment.head_for(filing.mailbox.id),
        )
        for filing in consignment.plan.filings
    ]


def _filed_events(consignment: Consignment, placed: Sequence[Placed]) -> list[TraceEvent]:
    sender = path_text(consignment.envelope.reverse_path)
    origin = _origin(consignment)
    spam = [one.filtered.recipient for one in placed if one.filtered.by_server]
    filed = [(filing.recipient, "") for filing in consignment.plan.filings]
    return [
        TraceEvent(
            consignment.trace_id,
            "deliver",
            "filed",
            reason,
            sender=sender,
            recipient=str(recipient.address),
            detail=origin,
        )
        for recipient, reason in [*filed, *((one, "into Spam") for one in spam)]
    ]


def _sieve_events(consignment: Consignment, placed: Sequence[Placed]) -> list[TraceEvent]:
    """What scripts decided, one event a mailbox."""
    sender = path_text(consignment.envelope.reverse_path)
    origin = _origin(consignment)
    return [
        TraceEvent(
            consignment.trace_id,
            "sieve",
            "failed" if one.filtered.failures else "done",
            "; ".join(one.filtered.actions)[:500],
            sender=sender,
            recipient=str(one.filtered.recipient.address),
            detail={
                **origin,
                "actions": list(one.filtered.actions),
                "notes": [*one.filtered.notes, *one.notes],
                "errors": [f"{failure.name}: {failure.error}" for failure in one.filtered.failures],
            },
        )
        for one in placed
        if not one.filtered.by_server
    ]


def _origin(consignment: Consignment) -> dict[str, str | int]:
    client = consignment.client
    return {
        "client": client.address,
        "helo": client.helo,
        "login": client.login,
        "size": len(consignment.content),
    }


def _without(plan: Plan, owner: int) -> Plan:
    """The plan with one mailbox's copy left to the queue."""
    full = [Refiling(one.mailbox, one.recipient) for one in plan.filings if one.mailbox.id == owner]
    full += [
        Refiling(one.mailbox, one.recipient) for one in plan.filtered if one.mailbox.id == owner
    ]
    return replace(
        plan,
        filings=tuple(one for one in plan.filings if one.mailbox.id != owner),
        filtered=tuple(one for one in plan.filtered if one.mailbox.id != owner),
        refilings=(*plan.refilings, *full),
    )
