"""From the last octet of a message to its place: one hop to a database thread.

Count the Received fields, check and complete what a login submits, render, plan, carry out.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from accounts.directory import local_domains, owned_addresses
from accounts.entries import Login
from accounts.mailstore.headers import header_end
from accounts.mailstore.values import new_message
from routing.decisions import Resolution
from routing.delivery import plan_delivery
from routing.envelope import Client, Envelope, Recipient
from routing.senders import Forgery, check_authors
from transport.carrying import Carried, Consignment, NoRoom, Repeated, carry_out, fingerprint_of
from transport.database_threads import Connection
from transport.smtp.submitted_header import SubmittedHeader, complete_header, read_header
from transport.smtp.success_reports import report_success
from transport.smtp.trace_fields import RECEIVED_MAXIMUM, count_received, received_field


@dataclass(frozen=True, slots=True)
class Arrival:
    """A whole message, and all that is known of it. `login` is None on port 25."""

    trace_id: str
    hostname: str
    client: Client
    envelope: Envelope
    resolved: tuple[tuple[Recipient, Resolution], ...]
    content: bytes
    login: Login | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """It is held for every recipient; `fingerprint` is to be forgotten once the client has heard of it."""

    carried: Carried
    fingerprint: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The whole reply, and what the log says."""

    reply: str


def accept_message(db: Connection, arrival: Arrival) -> Accepted | Repeated | Refused:
    """Take responsibility for a message, or say why not. Raises when we fail; then nothing was done."""
    content, login = arrival.content, arrival.login
    if count_received(content[: header_end(content)]) > RECEIVED_MAXIMUM:
        return Refused("554 5.4.6 too many Received fields: the message is in a loop")
    fingerprint = fingerprint_of(arrival.client, arrival.envelope, hashlib.sha256(content).digest())
    now = datetime.now(UTC)
    sign_as = ""
    if login is not None:
        header = read_header(content)
        own_author = (login.display_name, login.address) if login.kind == "app" else None
        forgery = check_authors(
            owned_addresses(db, login), header.addresses(b"from"), header.addresses(b"sender")
        )
        if forgery is Forgery.NO_FROM and own_author is not None and not header.has(b"from"):
            forgery = None  # an app's own address is put there
        if forgery is not None:
            return Refused(f"550 5.7.1 {forgery.value}")
        content = complete_header(
            header,
            now,
            lambda: f"{arrival.trace_id}@{login.domain_name}",
            author=own_author,
        )
        sign_as = _signing_domain(db, header, login)
    recipients = arrival.envelope.recipients
    carried = carry_out(
        db,
        Consignment(
            trace_id=arrival.trace_id,
            client=arrival.client,
            envelope=arrival.envelope,
            plan=plan_delivery(arrival.resolved),
            message=new_message(content),
            received=received_field(
                arrival.client,
                arrival.hostname,
                arrival.trace_id,
                now,
                only_recipient=recipients[0].address if len(recipients) == 1 else None,
                smtputf8=arrival.envelope.smtputf8,
            ),
            cause="smtp" if login is None else "submission",
            fingerprint=fingerprint,
            sender_domain=login.domain_name if login is not None else "",
            sign_as=sign_as,
        ),
    )
    match carried:
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
            return Refused("452 4.2.2 the mailbox is full")


def _signing_domain(db: Connection, header: SubmittedHeader, login: Login) -> str:
    """The author's domain where it is ours, so that the signature aligns (RFC 7489 §3.1); else the login's."""
    authors = [address for field in header.addresses(b"from") for address in field]
    if len(authors) == 1:
        domain = authors[0].domain.lower()
        if domain != login.domain_name and domain in local_domains(db, (domain,)):
            return domain
    return login.domain_name
