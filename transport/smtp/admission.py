"""Who may send and to whom: the services behind MAIL and RCPT, one hop each."""

import ipaddress
from enum import Enum

from accounts.addresses import SRS_PREFIX, Address
from accounts.allowances import Allowance
from accounts.directory import local_domains, look_up
from accounts.entries import Login, SrsEntry
from accounts.mailstore.quota import have_room
from accounts.sending import sender_of
from routing.decisions import Elsewhere, Reached, Resolution, Unreachable
from routing.resolution import resolve, resolve_postmaster
from routing.senders import may_send_as
from transport.database_threads import Connection

_REFUSALS = {
    Unreachable.UNKNOWN: "550 5.1.1 there is no such address",
    Unreachable.DISABLED: "550 5.2.1 the mailbox is disabled",
}


def admit_sender(db: Connection, login: Login, reverse_path: Address | None) -> Allowance | str:
    """How much the login may send, or the refusal of its MAIL: the reverse-path must be its own, or null."""
    if login.kind == "user" and not login.mail_enabled:
        return "550 5.7.1 mail is not enabled for your domain"
    owned, allowance = sender_of(db, login)
    if not may_send_as(owned, reverse_path):
        return "553 5.7.1 you may not send as this address"
    return allowance


class Claim(Enum):
    """What MAIL FROM a domain means on port 25."""

    FOREIGN = "the domain is not ours"
    ALLOWED = (
        "the domain is ours, and the client may send for it, or forwards back what we forwarded"
    )
    DOUBTFUL = "the domain is ours, and has to authorise the client by SPF"


def judge_claim(db: Connection, sender: Address, client_address: str) -> Claim:
    """Whether MAIL FROM this address, on port 25, has to be authorised by SPF."""
    if not local_domains(db, (sender.domain,)):
        return Claim.FOREIGN
    return Claim.ALLOWED if is_from_us(db, sender, client_address) else Claim.DOUBTFUL


def admit_recipient(
    db: Connection,
    forward_path: Address | None,
    *,
    is_bounce: bool,
    may_relay: bool,
    declared_size: int = 0,
) -> Resolution | str:
    """Whom the recipient reaches, or the refusal. `forward_path` None is the bare `<postmaster>`.

    `declared_size` is SIZE of MAIL (RFC 1870 §6.1), 0 for none: where nobody has room for so much, it is refused now.
    """
    if forward_path is None:
        resolution = resolve_postmaster(db)
    else:
        resolution = resolve(db, forward_path, is_bounce=is_bounce)
    if resolution is Unreachable.FULL or _is_too_large(db, resolution, declared_size):
        return full_reply(db, forward_path.domain if forward_path else "")
    if isinstance(resolution, Unreachable):
        return _REFUSALS[resolution]
    if isinstance(resolution, Elsewhere) and not may_relay:
        return "550 5.7.1 relaying denied"
    return resolution


def full_reply(db: Connection, domain: str) -> str:
    """What a full mailbox answers: the domain says whether senders may hope."""
    row = db.execute(
        "SELECT refuse_when_full FROM accounts_domain WHERE name = %s", (domain,)
    ).fetchone()
    return "552 5.2.2 the mailbox is full" if row and row[0] else "452 4.2.2 the mailbox is full"


def _is_too_large(db: Connection, resolution: Resolution, size: int) -> bool:
    if not size or not isinstance(resolution, Reached) or resolution.outside:
        return False
    return not have_room(db, [mailbox.id for mailbox in resolution.mailboxes], size)


def is_from_us(db: Connection, reverse_path: Address | None, client_address: str) -> bool:
    """Whether a client is ours, or what it brings was forwarded by us before: nobody guesses an SRS address."""
    return _is_own_srs(db, reverse_path) or _is_allowed(db, client_address)


def _is_own_srs(db: Connection, address: Address | None) -> bool:
    if address is None or not address.local_part.lower().startswith(SRS_PREFIX):
        return False
    return isinstance(look_up(db, address).entry, SrsEntry)


def _is_allowed(db: Connection, client_address: str) -> bool:
    address = ipaddress.ip_address(client_address)
    rows = db.execute("SELECT network FROM transport_allowedclient", prepare=True).fetchall()
    return any(address in ipaddress.ip_network(network) for (network,) in rows)
