"""Look-ups: what an address means here, who is in a group, and which addresses a login may send as.

Services on a raw psycopg connection; each is one round trip, except where it says otherwise. Resolution order
of an address: exact, then without its +tag (RFC 5233), then the domain's catch-all. `postmaster` of each mail
domain, and the bare `<postmaster>` of RFC 5321 §4.5.1, always reach somebody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg

from accounts.addresses import Address, canonical_local_part, split_subaddress
from accounts.authentication import Login
from accounts.mailstore.values import MailboxId

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class DomainFacts:
    """A domain that this installation knows. It is local, as SMTP means it, while `mail_enabled`."""

    id: int
    name: str
    mail_enabled: bool


@dataclass(frozen=True, slots=True)
class MailboxFacts:
    """A mailbox that mail may be put into; `address` is its owner's primary address."""

    id: MailboxId
    address: str
    is_full: bool


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
    """The address is a group's: `expand_group` says whom it reaches."""

    group_id: int
    address: str


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


def look_up(db: Connection, address: Address) -> Found:
    """What the address means here. One round trip."""
    raise NotImplementedError


def look_up_postmaster(db: Connection) -> MailboxFacts | None:
    """Who gets mail to the bare `<postmaster>`: the first administrator; None when there is none."""
    raise NotImplementedError


def expand_group(db: Connection, group_id: int) -> GroupMembers:
    """Whom the group reaches, through groups in it. Inactive users are left out; a loop ends by itself."""
    raise NotImplementedError


def owned_addresses(db: Connection, login: Login) -> OwnedAddresses:
    """What the login may send as: a user's primary address and aliases in mail domains, an app's address."""
    raise NotImplementedError


def local_domains(db: Connection, names: Iterable[str]) -> frozenset[str]:
    """Those of the names (lower-case A-labels) that are local: known here, with mail enabled."""
    raise NotImplementedError


def srs_address(db: Connection, domain_name: str, reverse_path: str) -> Address:
    """The address in a local domain that stands for a foreign reverse-path while mail is forwarded."""
    raise NotImplementedError
