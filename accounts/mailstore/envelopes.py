"""ENVELOPE. RFC 9051 §7.5.2, RFC 3501 §7.4.2; for fields that stand more than once, RFC 7103 §7.5."""

from accounts.mailstore.entities import Header
from accounts.mailstore.header_addresses import (
    ADDRESS_LIST_LIMIT,
    ADDRESSES_LIMIT,
    RawAddress,
    parse_address_list,
)
from accounts.mailstore.header_fields import unfold
from accounts.mailstore.wire_strings import nstring, string

# Over all envelopes of a message, those of attached messages included.
TOTAL_ADDRESSES_LIMIT = 5000
TOTAL_ADDRESS_OCTETS_LIMIT = 256 * 1024


class AddressBudget:
    """How many addresses the envelopes of one message may still hold, and how many octets may be read for them."""

    def __init__(self) -> None:
        self._left = TOTAL_ADDRESSES_LIMIT
        self._octets_left = TOTAL_ADDRESS_OCTETS_LIMIT

    def parse(self, value: bytes) -> list[RawAddress]:
        """As `parse_address_list`, within what is left."""
        value = value[: self._octets_left]
        found = parse_address_list(value, min(ADDRESSES_LIMIT, self._left))
        self._left = max(0, self._left - len(found))
        self._octets_left -= min(len(value), ADDRESS_LIST_LIMIT)
        return found


class AddressLists:
    """The address fields of one header, each parsed once."""

    def __init__(self, header: Header, budget: AddressBudget) -> None:
        # One From, Sender and Reply-To: the first. Several To, Cc and Bcc are one list.
        self.sender_fields = [_first(header, name, budget) for name in _SENDERS]
        self.recipient_fields = [_joined(header, name, budget) for name in _RECIPIENTS]


_SENDERS = (b"from", b"sender", b"reply-to")
_RECIPIENTS = (b"to", b"cc", b"bcc")


def render_envelope(header: Header, addresses: AddressLists) -> bytes:
    """The ten fields, parenthesised. Encoded words stay encoded."""
    sent_from, sender, reply_to = map(_address_list, addresses.sender_fields)
    # "If the Sender or Reply-To header is absent or empty, the server sets it to From."
    if sender == b"NIL":
        sender = sent_from
    if reply_to == b"NIL":
        reply_to = sent_from
    to, cc, bcc = map(_address_list, addresses.recipient_fields)
    return b"(%b)" % b" ".join(
        (
            nstring(header.get(b"date")),
            nstring(header.get(b"subject")),
            sent_from,
            sender,
            reply_to,
            to,
            cc,
            bcc,
            nstring(header.get(b"in-reply-to")),
            nstring(header.get(b"message-id")),
        )
    )


def _first(header: Header, name: bytes, budget: AddressBudget) -> list[RawAddress]:
    value = header.get(name)
    return budget.parse(value) if value else []


def _joined(header: Header, name: bytes, budget: AddressBudget) -> list[RawAddress]:
    values = header.values.get(name)
    if values is None:
        return []
    if len(values) == 1:
        return budget.parse(unfold(values[0][:ADDRESS_LIST_LIMIT]))
    found: list[RawAddress] = []
    for value in values:
        found += budget.parse(unfold(value[:ADDRESS_LIST_LIMIT]))
    return found[:ADDRESSES_LIMIT]


def _address_list(addresses: list[RawAddress]) -> bytes:
    return b"(%b)" % b"".join(map(_address, addresses)) if addresses else b"NIL"


def _address(address: RawAddress) -> bytes:
    """(name adl mailbox host); NIL as the host is group syntax, so a missing one is ""."""
    display, local_part, domain, route = address
    if local_part is None:
        return b"(NIL NIL NIL NIL)"
    if domain is None:
        return b"(NIL NIL %b NIL)" % string(local_part)
    name = string(display) if display else b"NIL"
    return b"(%b %b %b %b)" % (
        name,
        string(route) if route else b"NIL",
        string(local_part),
        string(domain),
    )
