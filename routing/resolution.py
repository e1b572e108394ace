"""Whom a forward-path reaches: mailboxes, addresses outside, nobody.

Order (accounts.directory): exact, without the +tag, catch-all. Groups are expanded here, at RCPT, so that the plan
needs no further look-up. An outside member in one of our own domains is resolved like any recipient.
"""

from accounts.addresses import Address, AddressSyntaxError, parse_address
from accounts.directory import Connection, expand_group, local_domains, look_up, look_up_postmaster
from accounts.entries import AppEntry, CatchAllEntry, GroupEntry, MailboxFacts, SrsEntry, UserEntry
from routing.decisions import Elsewhere, Reached, Resolution, Unreachable

NESTING_MAXIMUM = 8  # outside members of groups that are groups of ours again


def resolve(db: Connection, address: Address, *, is_bounce: bool) -> Resolution:
    """Whom the address reaches; `is_bounce` says that the reverse-path is null.

    One round trip; two for a group, three when it has outside members.
    """
    return _resolve(db, address, is_bounce, NESTING_MAXIMUM)


def resolve_postmaster(db: Connection) -> Resolution:
    """Whom the bare `<postmaster>` reaches (RFC 5321 §4.5.1)."""
    mailbox = look_up_postmaster(db)
    return _open(mailbox) if mailbox else Unreachable.UNKNOWN


def _resolve(db: Connection, address: Address, is_bounce: bool, nesting: int) -> Resolution:
    found = look_up(db, address)
    if not found.is_local:
        return Elsewhere()
    match found.entry:
        case UserEntry(mailbox, is_active) | AppEntry(mailbox, is_active):
            return _open(mailbox) if is_active else Unreachable.DISABLED
        case CatchAllEntry(mailboxes):
            return _one_open(Reached(mailboxes))
        case GroupEntry() as group:
            return _expand(db, group, address.domain, is_bounce, nesting)
        case SrsEntry(reverse_path):
            return _back(db, reverse_path, is_bounce, nesting)
        case None:
            return Unreachable.UNKNOWN


def _open(mailbox: MailboxFacts) -> Resolution:
    return Unreachable.FULL if mailbox.is_full else Reached((mailbox,))


def _one_open(reached: Reached) -> Resolution:
    """Full mailboxes are filled later by the queue, if anybody at all gets the message now."""
    if reached.outside or any(not mailbox.is_full for mailbox in reached.mailboxes):
        return reached
    return Unreachable.FULL if reached.mailboxes else Unreachable.UNKNOWN


def _expand(
    db: Connection, group: GroupEntry, domain: str, is_bounce: bool, nesting: int
) -> Resolution:
    members = expand_group(db, group.group_id)
    mailboxes = {mailbox.id: mailbox for mailbox in members.mailboxes}
    outside = dict.fromkeys(members.outside)
    if outside and nesting:
        ours = local_domains(db, {address.domain for address in outside})
        for address in [address for address in outside if address.domain in ours]:
            del outside[address]
            inner = _resolve(db, address, is_bounce, nesting - 1)
            if isinstance(inner, Reached):
                mailboxes.update((mailbox.id, mailbox) for mailbox in inner.mailboxes)
                outside.update(dict.fromkeys(inner.outside))
    return _one_open(Reached(tuple(mailboxes.values()), tuple(outside), domain, group.spam))


def _back(db: Connection, reverse_path: str, is_bounce: bool, nesting: int) -> Resolution:
    """A bounce goes back to whom the message came from; anything else to an SRS address is refused."""
    if not is_bounce or not nesting:
        return Unreachable.UNKNOWN
    try:
        target = parse_address(reverse_path)
    except AddressSyntaxError:
        return Unreachable.UNKNOWN
    inner = _resolve(db, target, is_bounce, nesting - 1)
    return Reached((), (target,)) if isinstance(inner, Elsewhere) else inner
