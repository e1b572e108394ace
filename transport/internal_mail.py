"""Messages that this server sends itself, and local deliveries that the queue repeats. A service for a database thread."""

from dataclasses import dataclass
from enum import Enum

from accounts.mailstore.values import FolderId
from routing.decisions import Elsewhere, Reached, Unreachable
from routing.delivery import plan_delivery
from routing.envelope import Client, Envelope, Recipient
from routing.resolution import resolve
from routing.verdicts import NOT_JUDGED, Verdict
from transport.carrying import Carried
from transport.consignments import Consignment
from transport.database_threads import Connection
from transport.delivering import deliver
from transport.smtp.syntax import CommandError, parse_path
from transport.smtp.trace_fields import new_trace_id


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


def submit_internal(
    db: Connection,
    *,
    reverse_path: str,
    recipient: str,
    content: bytes,
    domain_name: str = "",
    cause: str = "internal",
    verdict: Verdict = NOT_JUDGED,
) -> Submitted:
    """Send a message of this server's own (a DSN), or repeat a local delivery, in the caller's transaction or an own.

    `reverse_path` ("" is null) and `recipient` as on the wire, without brackets. What leaves is signed as
    `domain_name`, if that is given. No Received field is added: the message begins here. `verdict` was thought of it when
    it came, and its fields stand in it.
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
    plan = plan_delivery([(to, resolution)])
    consignment = Consignment(
        trace_id=new_trace_id(),
        client=Client("", "", ""),
        envelope=Envelope(sender, (to,)),
        plan=plan,
        content=content,
        received=b"",
        cause=cause,
        sender_domain=domain_name,
        sign_as=domain_name,
        verdicts=dict.fromkeys((filing.mailbox.id for filing in plan.filings), verdict),
    )
    carried = deliver(db, consignment)
    if isinstance(carried, Carried):
        return Submitted(
            Outcome.DONE, "2.0.0", carried.trace_id, carried.folders, carried.next_hops
        )
    return Submitted(Outcome.LATER, "4.2.2", "the mailbox is full")
