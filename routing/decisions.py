"""What can be decided about a recipient and about a message. Frozen values; `transport.carrying` carries out a Plan."""

from dataclasses import dataclass
from enum import Enum

from accounts.addresses import Address
from accounts.entries import MailboxFacts
from accounts.mailstore.values import MailboxId
from routing.envelope import Recipient


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The address is in no local domain: its mail goes to its domain's MX."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The address is ours and reaches somebody. `outside` are addresses that the message is forwarded to.

    `forwarder` is the local domain that forwards: its SRS address takes the place of the reverse-path. It is ""
    when the reverse-path stays (a bounce on its way back).
    """

    mailboxes: tuple[MailboxFacts, ...]
    outside: tuple[Address, ...] = ()
    forwarder: str = ""


class Unreachable(Enum):
    """The address is ours and its mail is refused."""

    UNKNOWN = "unknown"
    DISABLED = "disabled"
    FULL = "full"


Resolution = Elsewhere | Reached | Unreachable


@dataclass(frozen=True, slots=True)
class Filing:
    """One copy for one mailbox; `recipient` is the forward-path that led to it."""

    mailbox: MailboxFacts
    recipient: Recipient


@dataclass(frozen=True, slots=True)
class Refiling:
    """A copy for a mailbox that is full while others take the message: the queue repeats it."""

    mailbox: MailboxFacts
    recipient: Recipient


@dataclass(frozen=True, slots=True)
class Sending:
    """Copies that leave, under one reverse-path. `forwarder` as in Reached; "" for the sender's own mail."""

    recipients: tuple[Recipient, ...]
    forwarder: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is done with one message, in one database transaction."""

    filings: tuple[Filing, ...]
    refilings: tuple[Refiling, ...]
    sendings: tuple[Sending, ...]

    @property
    def owners(self) -> tuple[MailboxId, ...]:
        """The mailboxes that get a copy now."""
        return tuple(filing.mailbox.id for filing in self.filings)
