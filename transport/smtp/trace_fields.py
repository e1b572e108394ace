"""The header fields that this server puts in front of a message: RFC 5321 §4.4, RFC 9228. Pure."""

import re
import secrets
import time
from datetime import datetime
from email.utils import format_datetime

from accounts.addresses import Address
from routing.envelope import Client
from transport.smtp.syntax import format_address

RECEIVED_MAXIMUM = 50  # a message with more of them is in a loop, RFC 5321 §6.3
_ALPHABET = "0123456789abcdefghijkmnpqrstuvwxyz"
_PRINTABLE_NAME = re.compile(r"[A-Za-z0-9_.:\[\]-]{1,255}")
_RECEIVED = re.compile(rb"(?:\A|\n)received[ \t]*:", re.IGNORECASE)


def new_trace_id() -> str:
    """An id for a message on its way: 22 letters and digits that begin with the time, so that ids sort by it."""
    number = time.time_ns() // 1_000_000 << 66 | secrets.randbits(66)
    digits = []
    for _ in range(22):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def received_field(
    client: Client,
    hostname: str,
    trace_id: str,
    now: datetime,
    *,
    only_recipient: Address | None,
    smtputf8: bool,
) -> bytes:
    """The Received field. `only_recipient` is None unless there is a single one: `for` would tell of Bcc.

    What a login submitted names no client: this host stands in the From clause, which the grammar requires.
    """
    if client.login:
        source = hostname
    else:
        name = client.helo if _PRINTABLE_NAME.fullmatch(client.helo) else "unknown"
        source = f"{name} ({address_literal(client.address)})"
    protocol = ("UTF8" + client.protocol.removeprefix("E")) if smtputf8 else client.protocol
    recipient = (
        f"\r\n\tfor <{format_address(only_recipient)}>" if only_recipient is not None else ""
    )
    return (
        f"Received: from {source}\r\n\tby {hostname} with {protocol} id {trace_id}{recipient};"
        f"\r\n\t{format_datetime(now)}\r\n"
    ).encode()


def delivery_fields(reverse_path: Address | None, recipient: Address) -> bytes:
    """Return-Path (RFC 5321 §4.4) and Delivered-To (RFC 9228) of one owner's copy."""
    sender = "" if reverse_path is None else format_address(reverse_path)
    return (f"Return-Path: <{sender}>\r\nDelivered-To: {format_address(recipient)}\r\n").encode()


def count_received(header: bytes) -> int:
    """How many Received fields a header holds."""
    return len(_RECEIVED.findall(header))


def address_literal(address: str) -> str:
    """An IP address as RFC 5321 §4.1.3 writes it."""
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
