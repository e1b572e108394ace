"""What a login may write as its sender: RFC 6409 §6.1 (enforced submission rights), RFC 5322 §3.6.2. Pure."""

from collections.abc import Sequence
from enum import Enum

from accounts.addresses import Address, AddressSyntaxError, canonical_domain
from accounts.entries import OwnedAddresses
from accounts.mailstore.headers import HeaderAddress


class Forgery(Enum):
    """Why the author fields of a submitted message are refused."""

    FOREIGN_FROM = "the From field names an address that is not yours"
    FOREIGN_SENDER = "the Sender field names an address that is not yours"
    SEVERAL_FROM = "the message has more than one From field"
    SEVERAL_SENDER = "the message has more than one Sender field"
    NO_FROM = "the message has no address in From"
    UNCLEAR = "From or Sender can be read in more than one way"


def may_send_as(owned: OwnedAddresses, reverse_path: Address | None) -> bool:
    """Whether the login may use this reverse-path; everyone may use the null one (read receipts, RFC 8098)."""
    return reverse_path is None or owned.owns(reverse_path)


def check_authors(
    owned: OwnedAddresses,
    from_fields: Sequence[Sequence[HeaderAddress]],
    sender_fields: Sequence[Sequence[HeaderAddress]],
) -> Forgery | None:
    """What is wrong with the From and Sender fields of a submitted message; None when they are the login's own."""
    if owned.from_unchecked:
        return None
    if len(from_fields) > 1:
        return Forgery.SEVERAL_FROM
    if len(sender_fields) > 1:
        return Forgery.SEVERAL_SENDER
    if not from_fields or not from_fields[0]:
        return Forgery.NO_FROM
    if not all(_is_own(owned, author) for author in from_fields[0]):
        return Forgery.FOREIGN_FROM
    if sender_fields and not all(_is_own(owned, author) for author in sender_fields[0]):
        return Forgery.FOREIGN_SENDER
    return None


def _is_own(owned: OwnedAddresses, author: HeaderAddress) -> bool:
    try:
        domain = canonical_domain(author.domain)
    except AddressSyntaxError:
        return False
    return owned.owns(Address(author.local_part, domain))
