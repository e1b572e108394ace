"""What is done for a mailbox whose scripts may send nothing more for now: its owner keeps what would have left. Pure."""

from dataclasses import replace

from accounts.mailstore.values import MailboxId
from routing.decisions import Copy, Filtered, Plan


def keep_here(plan: Plan, mailbox: MailboxId, limit: str) -> Plan:
    """The plan without the mails of this mailbox's scripts; `limit` is which one is reached, in words."""
    filtered = (_kept(one, limit) if one.mailbox.id == mailbox else one for one in plan.filtered)
    return replace(plan, filtered=tuple(filtered))


def _kept(one: Filtered, limit: str) -> Filtered:
    left = bool(one.redirections or one.refusal)
    copies = one.copies or ((Copy(),) if left and not one.is_stored else ())
    return replace(
        one,
        copies=copies,
        redirections=(),
        answers=(),
        refusal=None,
        # who was not answered is answered the next time
        memories=tuple(memory for memory in one.memories if memory.kind != "vacation"),
        stays=one.stays or left,
        notes=(*one.notes, f"nothing is sent, and the message kept: scripts may send {limit}"),
    )
