"""What the directory answers: entries of addresses, members of groups, logins. Pure values."""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from accounts.addresses import Address, split_subaddress
from accounts.mailstore.values import MailboxId

UNLIMITED = 2**31 - 1  # as a limit of sending


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """A domain that this installation knows. It is local, as SMTP means it, while `mail_enabled`."""

    id: int
    name: str
    mail_enabled: bool


@dataclass(frozen=True, slots=True)
class OnlyScript:
    """The one Sieve script that a mailbox's mail goes through; `digest` is the SHA-256 of its text."""

    id: int
    name: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class SpamSettings:
    """What a mailbox's owner, or else the owner's domain, has set. `refuse_threshold` None: nothing is refused.

    `sees_spam`: the owner's script runs on spam too. `refuses_dmarc_failures`: also without a second sign.
    """

    spam_threshold: float = 5.0
    refuse_threshold: float | None = None
    sees_spam: bool = False
    refuses_dmarc_failures: bool = False


USUAL = SpamSettings()


@dataclass(frozen=True, slots=True)
class MailboxFacts:
    """A mailbox that mail may be put into; `address` is its owner's primary address.

    `is_filtered`: a script has a say about its mail, the owner's own or one for all. `only_script` is that one where it is
    known to be the only one.
    """

    id: MailboxId
    address: str
    is_full: bool
    is_filtered: bool = False
    only_script: OnlyScript | None = None
    spam: SpamSettings = USUAL


@dataclass(frozen=True, slots=True)
class UserEntry:
    """The address is a user's primary address or an alias. An inactive user's mail is refused: 550 5.2.1."""

    mailbox: MailboxFacts
    is_active: bool


@dataclass(frozen=True, slots=True)
class AppEntry:
    """The address is an app's; `is_active` as for a user."""

    mailbox: MailboxFacts
    is_active: bool


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """The address is a group's: `expand_group` says whom it reaches. `spam` is what its domain has set."""

    group_id: int
    address: str
    spam: SpamSettings = USUAL


@dataclass(frozen=True, slots=True)
class CatchAllEntry:
    """Nobody has the address, and the domain's catch-all takes it. Never empty."""

    mailboxes: tuple[MailboxFacts, ...]


@dataclass(frozen=True, slots=True)
class SrsEntry:
    """The address stands for a reverse-path while mail is forwarded; a bounce goes there."""

    reverse_path: str


DirectoryEntry = UserEntry | AppEntry | GroupEntry | CatchAllEntry | SrsEntry


@dataclass(frozen=True, slots=True)
class Found:
    """What an address means. `domain` is None when the domain is not known at all.

    `entry` is None when nobody has the address, and for every address of a domain without mail.
    `tag` is what follows the + of the address, as it was written, or "".
    """

    domain: DomainFacts | None
    entry: DirectoryEntry | None
    tag: str = ""

    @property
    def is_local(self) -> bool:
        """Whether mail for the domain ends here; otherwise it goes to the domain's MX."""
        return self.domain is not None and self.domain.mail_enabled


@dataclass(frozen=True, slots=True)
class GroupMembers:
    """Whom a group reaches, each once: active mailboxes by id, and addresses elsewhere."""

    mailboxes: tuple[MailboxFacts, ...]
    outside: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class OwnedAddresses:
    """What a login may send as."""

    keys: frozenset[tuple[str, str]]
    from_unchecked: bool  # an app whose domain does not check the From of its apps

    def owns(self, address: Address) -> bool:
        """Whether the address, or the address without its +tag, belongs to the login."""
        local_part, domain = address.key
        return (local_part, domain) in self.keys or (
            split_subaddress(local_part)[0],
            domain,
        ) in self.keys


@dataclass(frozen=True, slots=True)
class Login:
    """A login that succeeded. `password_stamp` and `credential_id` say by which secret."""

    kind: Literal["user", "app"]
    account_id: int
    mailbox_id: MailboxId | None
    address: str
    display_name: str
    domain_id: int
    domain_name: str
    mail_enabled: bool  # of the domain; while off, only apps send
    validate_app_from: bool  # of the domain
    credential_id: int | None = None
    password_stamp: bytes = b""

    @property
    def account(self) -> tuple[str, int]:
        """What is the same for every secret of the account."""
        return self.kind, self.account_id


class ThrottleScope(Enum):
    """Whose failures are too many."""

    PAIR = "this source with this account"
    SOURCE = "this source with all accounts"
    ACCOUNT = "this account from all sources"


@dataclass(frozen=True, slots=True)
class LoginRefused:
    """A login that failed. The reason is for the log: a stranger hears the same text for all but `throttled`.

    `unprepared`: SCRAM was tried, and a secret of the login has no verifier yet. `throttled`: too many failures;
    nothing was checked. Answer that as temporary (454 4.7.0, `NO [UNAVAILABLE]`), since the password may well be right,
    with `accounts.throttle.explanation`. `retry_after` in seconds.
    """

    reason: Literal["unknown", "password", "inactive", "unprepared", "throttled"]
    retry_after: int = 0
    scope: ThrottleScope | None = None
