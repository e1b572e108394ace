"""From the envelope and what its recipients resolve to, to a plan. Pure.

One copy a mailbox and transaction, one a foreign address: the first recipient that leads there wins.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import assert_never

from accounts.addresses import Address
from accounts.entries import USUAL, SpamSettings
from accounts.mailstore.values import MailboxId
from routing.decisions import (
    JUNK,
    Copy,
    Elsewhere,
    Filing,
    Filtered,
    Plan,
    Reached,
    Refiling,
    Resolution,
    Sending,
    Unreachable,
)
from routing.envelope import Recipient
from routing.verdicts import NOT_JUDGED, Verdicts


def plan_delivery(resolved: Iterable[tuple[Recipient, Resolution]]) -> Plan:
    """What happens with a message for these recipients. Unreachable ones must have been refused before."""
    copies: dict[MailboxId, Filing | Refiling] = {}
    leaving: dict[str, list[Recipient]] = {}
    settings: dict[str, SpamSettings] = {}
    sent_to: set[Address] = set()

    def send(forwarder: str, recipient: Recipient) -> None:
        if recipient.address not in sent_to:
            sent_to.add(recipient.address)
            leaving.setdefault(forwarder, []).append(recipient)

    for recipient, resolution in resolved:
        match resolution:
            case Elsewhere():
                send("", recipient)
            case Reached(mailboxes, outside, forwarder, spam):
                settings.setdefault(forwarder, spam)
                for mailbox in mailboxes:
                    kind = Refiling if mailbox.is_full else Filing
                    copies.setdefault(mailbox.id, kind(mailbox, recipient))
                notify = _notify_members(recipient.notify) if forwarder else recipient.notify
                for address in outside:
                    send(forwarder, Recipient(address, notify, recipient.orcpt))
            case Unreachable():
                raise ValueError(f"{recipient.address} was accepted and cannot be reached")
            case _:
                assert_never(resolution)
    return Plan(
        filings=tuple(copy for copy in copies.values() if isinstance(copy, Filing)),
        refilings=tuple(copy for copy in copies.values() if isinstance(copy, Refiling)),
        sendings=tuple(
            Sending(tuple(recipients), forwarder, settings.get(forwarder, USUAL))
            for forwarder, recipients in leaving.items()
        ),
    )


def file_spam(plan: Plan, verdicts: Verdicts) -> Plan:
    """The plan with spam in the folders for it, where no script has taken care of it."""
    if not any(verdict.is_spam for verdict in verdicts.values()):
        return plan
    spam = [one for one in plan.filings if verdicts.get(one.mailbox.id, NOT_JUDGED).is_spam]
    filtered = (
        Filtered(one.mailbox, one.recipient, (Copy(JUNK),), is_spam=True, by_server=True)
        for one in spam
    )
    return replace(
        plan,
        filings=tuple(one for one in plan.filings if one not in spam),
        filtered=(*plan.filtered, *filtered),
    )


def _notify_members(notify: str) -> str:
    """What members of a group are asked to report: success was told of as `expanded` (RFC 3461 §5.2.7.3)."""
    rest = [word for word in notify.split(",") if word != "SUCCESS"]
    return ",".join(rest) if rest else "NEVER"
