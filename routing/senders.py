"""What a login may write as its sender: RFC 6409 §6.1 (enforced submission rights), RFC 5322 §3.6.2, §3.6.6. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

from accounts.addresses import Address, AddressSyntaxError, canonical_domain
from accounts.entries import OwnedAddresses
from accounts.mailstore.headers import HeaderAddress

Field = Sequence[HeaderAddress]


class Forgery(Enum):
    """Why the author fields of a submitted message are refused."""

    FOREIGN_FROM = "the From field names an address that is not yours"
    FOREIGN_SENDER = "the Sender field names an address that is not yours"
    FOREIGN_RESENT = "a Resent-From or Resent-Sender field names an address that is not yours"
    SEVERAL_FROM = "the message has more than one From field"
    SEVERAL_SENDER = "the message has more than one Sender field"
    NO_FROM = "the message has no address in From"
    UNCLEAR = "From or Sender can be read in more than one way"


@dataclass(frozen=True, slots=True)
class AuthorFields:
    """The fields that say who speaks, each as its addresses. `resent`: of Resent-From and Resent-Sender alike."""

    from_fields: Sequence[Field]
    sender_fields: Sequence[Field] = ()
    resent_fields: Sequence[Field] = ()

    @property
    def domains(self) -> frozenset[str]:
        """Of all of them, those that are domain names."""
        fields = (*self.from_fields, *self.sender_fields, *self.resent_fields)
        found = (_address(author) for field in fields for author in field)
        return frozenset(address.domain for address in found if address is not None)


def may_send_as(owned: OwnedAddresses, reverse_path: Address | None) -> bool:
    """Whether the login may use this reverse-path; everyone may use the null one (read receipts, RFC 8098)."""
    return reverse_path is None or owned.owns(reverse_path)


def check_authors(
    owned: OwnedAddresses, authors: AuthorFields, guarded: Collection[str] = ()
) -> Forgery | None:
    """What is wrong with who speaks in a submitted message; None when it is the login.

    An app whose domain leaves From unchecked may name anybody but the addresses of `guarded`, our domains that check it.
    """

    def are_own(fields: Sequence[Field]) -> bool:
        return all(_may_name(owned, guarded, author) for field in fields for author in field)

    if len(authors.from_fields) > 1:
        return Forgery.SEVERAL_FROM
    if len(authors.sender_fields) > 1:
        return Forgery.SEVERAL_SENDER
    if not authors.from_fields or not authors.from_fields[0]:
        return Forgery.NO_FROM
    if not are_own(authors.from_fields):
        return Forgery.FOREIGN_FROM
    if not are_own(authors.sender_fields):
        return Forgery.FOREIGN_SENDER
    if not are_own(authors.resent_fields):
        return Forgery.FOREIGN_RESENT
    return None


def _may_name(owned: OwnedAddresses, guarded: Collection[str], author: HeaderAddress) -> bool:
    address = _address(author)
    if address is None:
        return False
    return owned.owns(address) or (owned.from_unchecked and address.domain not in guarded)


def _address(author: HeaderAddress) -> Address | None:
    try:
        return Address(author.local_part, canonical_domain(author.domain))
    except AddressSyntaxError:
        return None
