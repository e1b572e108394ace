"""A message on its way with its plan, and what names its transaction."""

import hashlib
from dataclasses import dataclass

from accounts.addresses import Address
from routing.decisions import Plan
from routing.envelope import Client, Envelope
from transport.smtp.syntax import format_address


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


def fingerprint_of(client: Client, envelope: Envelope, content_sha256: bytes) -> bytes:
    """What makes two transactions the same one: the client, the envelope and the bytes."""
    envelope_text = repr((client.address, client.login, envelope))
    return hashlib.sha256(envelope_text.encode() + content_sha256).digest()


def path_text(address: Address | None) -> str:
    """A reverse-path without brackets, "" for the null one."""
    return "" if address is None else format_address(address)
