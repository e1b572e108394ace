"""A message on its way with its plan, and what names its transaction."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from accounts.addresses import Address
from accounts.journal.trace import TraceEvent
from accounts.mailstore.values import MailboxId
from accounts.sending import Charge
from routing.decisions import Plan
from routing.envelope import Client, Envelope
from routing.verdicts import NOT_JUDGED, Verdict
from transport.smtp.syntax import format_address


@dataclass(frozen=True, slots=True)
class Consignment:
    """What is to be carried. The blob is `content`; `received` is our own field, kept out of it.

    `sender_domain` is the local domain that sends what leaves under the sender's own name; `sign_as` the domain of
    its DKIM signature, or "". `fingerprint` (32 octets) names the transaction for a repetition; None: never one.

    `fields` tell all who get it who sent it (Authentication-Results), `verdicts` what is thought of it for each mailbox;
    `events` are what the trace is told of that. `charge`: whose limits of sending it counts for.
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
    fields: bytes = b""
    verdicts: Mapping[MailboxId, Verdict] = field(default_factory=dict)
    events: tuple[TraceEvent, ...] = ()
    charge: Charge | None = None

    @property
    def head(self) -> bytes:
        """Our own fields of every copy, which stand before it."""
        return self.fields + self.received

    def head_for(self, mailbox: MailboxId) -> bytes:
        """Those of one mailbox's copy."""
        return self.verdicts.get(mailbox, NOT_JUDGED).fields + self.head


def fingerprint_of(client: Client, envelope: Envelope, content_sha256: bytes) -> bytes:
    """What makes two transactions the same one: the client, the envelope and the bytes."""
    envelope_text = repr((client.address, client.login, envelope))
    return hashlib.sha256(envelope_text.encode() + content_sha256).digest()


def path_text(address: Address | None) -> str:
    """A reverse-path without brackets, "" for the null one."""
    return "" if address is None else format_address(address)
