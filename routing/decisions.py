"""What can be decided about a recipient and about a message. Frozen values; `transport.carrying` carries out a Plan."""

from dataclasses import dataclass
from enum import Enum

from accounts.addresses import Address
from accounts.entries import USUAL, MailboxFacts, SpamSettings
from accounts.mailstore.values import MailboxId
from routing.envelope import Recipient
from routing.sieve.actions import Action, Memory
from routing.sieve.errors import ScriptError


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The address is in no local domain: its mail goes to its domain's MX."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The address is ours and reaches somebody. `outside` are addresses that the message is forwarded to.

    `forwarder` is the local domain that forwards: its SRS address takes the place of the reverse-path. It is ""
    when the reverse-path stays (a bounce on its way back). `spam` is what that domain has set: spam is not forwarded.
    """

    mailboxes: tuple[MailboxFacts, ...]
    outside: tuple[Address, ...] = ()
    forwarder: str = ""
    spam: SpamSettings = USUAL


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
    """Copies that leave, under one reverse-path. `forwarder` and `spam` as in Reached; "" for the sender's own mail."""

    recipients: tuple[Recipient, ...]
    forwarder: str = ""
    spam: SpamSettings = USUAL


@dataclass(frozen=True, slots=True)
class Target:
    """A folder as a script names it, "" the inbox: the one with this id wins, then the one with this special use.

    `create`: it is made where there is none; otherwise the inbox takes its place.
    """

    folder: str = ""
    create: bool = False
    mailbox_id: str = ""
    special_use: str = ""


JUNK = Target("Spam", create=True, special_use="\\Junk")


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy in a folder; `content` is the owner's own where a script has edited the message, whole."""

    target: Target = Target()
    flags: tuple[str, ...] = ()
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Redirection:
    """A copy that goes on to another address; `content` as in Copy."""

    address: Address
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The message is not wanted. `extended`: by `ereject`, which is told by a DSN where nobody waits (RFC 5429)."""

    reason: str
    extended: bool

    @property
    def fits_reply(self) -> bool:
        """Whether a 550 may tell it: `reject` keeps its exact text, and a reply is ASCII (RFC 5429 §2.2)."""
        return self.extended or self.reason.isascii()


@dataclass(frozen=True, slots=True)
class ScriptFailure:
    """A script that could not run, or not to its end. `digest` is of its text; `is_own`: its owner is to be told now."""

    name: str
    digest: bytes
    error: ScriptError
    is_own: bool


@dataclass(frozen=True, slots=True)
class Filtered:
    """What scripts want done with the copy of one mailbox, in the place of a Filing.

    `unseen`: those of `memories` that the scripts found not remembered. `answers` are Vacation and Notify. `notes` say
    what was asked for and is not done. `is_spam`: nobody outside hears of it. `by_server`: no script ran, but the server's
    own rule.

    `is_stored`: it is not delivered, but is in a folder already (imapsieve, RFC 6785): then `stays` says whether it is to
    stay there, and with what flags.
    """

    mailbox: MailboxFacts
    recipient: Recipient
    copies: tuple[Copy, ...] = ()
    redirections: tuple[Redirection, ...] = ()
    answers: tuple[Action, ...] = ()
    refusal: Refusal | None = None
    memories: tuple[Memory, ...] = ()
    unseen: frozenset[tuple[str, bytes]] = frozenset()
    failures: tuple[ScriptFailure, ...] = ()
    actions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_spam: bool = False
    by_server: bool = False
    is_stored: bool = False
    stays: bool = False
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is done with one message, in one database transaction."""

    filings: tuple[Filing, ...]
    refilings: tuple[Refiling, ...]
    sendings: tuple[Sending, ...]
    filtered: tuple[Filtered, ...] = ()

    @property
    def owners(self) -> tuple[MailboxId, ...]:
        """The mailboxes that get a copy now."""
        filed = tuple(filing.mailbox.id for filing in self.filings)
        return filed + tuple(one.mailbox.id for one in self.filtered)

    @property
    def is_for_scripts(self) -> bool:
        """Whether a script has a say about it and was not asked yet."""
        return any(filing.mailbox.is_filtered for filing in self.filings)
