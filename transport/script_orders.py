"""From what scripts want done with a message to copies and mails: what `carrying` carries out for them. Pure.

Nothing a script sends goes out within the delivery: redirected messages, answers, notifications and refusals take the
outbound queue, to addresses here too. RFC 5228 §4.2, RFC 5230, RFC 5429, RFC 5436, RFC 8580.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from accounts.addresses import Address, AddressSyntaxError, parse_address
from accounts.entries import MailboxFacts
from routing.decisions import JUNK, Copy, Filtered, Refusal, Target
from routing.envelope import Envelope
from routing.filtering.memories import OwnMemory
from routing.filtering.planning import REDIRECTED_FROM, target_of
from routing.sieve.actions import Action, Notify, Vacation
from routing.sieve.mailto import parse_mailto
from routing.sieve.message import Message
from transport.answers.disposition import build_rejection
from transport.answers.failure import build_failure_notice
from transport.answers.notification import build_notification
from transport.answers.vacation import build_vacation
from transport.dsn.notify import is_wanted
from transport.dsn.report import Action as ReportAction
from transport.dsn.report import RecipientReport, Report, build_report
from transport.smtp.syntax import format_address
from transport.smtp.trace_fields import delivery_fields


@dataclass(frozen=True, slots=True)
class Deposit:
    """A copy for a folder: `prefix` and, unless the owner has one of their own, the message as it came."""

    mailbox: MailboxFacts
    target: Target
    flags: tuple[str, ...]
    prefix: bytes
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """A message for the queue. `is_forward`: a reverse-path of others gives way to one of the owner's domain (SRS).

    `content` None is the message as it came.
    """

    reverse_path: Address | None
    recipients: tuple[Address, ...]
    domain_name: str
    prefix: bytes = b""
    content: bytes | None = None
    notify: str = ""
    orcpt: str = ""
    is_forward: bool = False


@dataclass(frozen=True, slots=True)
class Orders:
    """All that is done for one mailbox."""

    filtered: Filtered
    deposits: tuple[Deposit, ...]
    mails: tuple[Mail, ...]
    memories: tuple[OwnMemory, ...]


@dataclass(frozen=True, slots=True)
class Writing:
    """What generated messages are made with: `new_id` gives the left side of a Message-ID."""

    host: str
    now: datetime
    new_id: Callable[[], str]


def orders_for(
    filtered: Filtered,
    envelope: Envelope,
    content: bytes,
    head: bytes,
    own_head: bytes,
    writing: Writing,
) -> Orders:
    """The copies and mails of one mailbox. A refusal in it is told by mail; nobody waits for it any more.

    Our own fields are `own_head` before the owner's copies, and `head` before what leaves.
    """
    making = _Orders(filtered, envelope, content, head, own_head, writing)
    deposits = [*making.copies(), *making.notices()]
    mails = list(making.redirected())
    for action in filtered.answers:
        making.answer(action, deposits, mails)
    if filtered.refusal is not None:
        making.refuse(filtered.refusal, deposits, mails)
    owner = filtered.mailbox.id
    memories = tuple(
        OwnMemory(owner, one, is_new=(one.kind, one.key) in filtered.unseen)
        for one in filtered.memories
    )
    return Orders(filtered, tuple(deposits), tuple(mails), memories)


class _Orders:
    def __init__(
        self,
        filtered: Filtered,
        envelope: Envelope,
        content: bytes,
        head: bytes,
        own_head: bytes,
        writing: Writing,
    ) -> None:
        self._filtered = filtered
        self._envelope = envelope
        self._content = content
        self._head = head
        self._own_head = own_head
        self._writing = writing
        self._owner = filtered.mailbox
        self._domain = filtered.mailbox.address.rpartition("@")[2] or writing.host

    def copies(self) -> Iterator[Deposit]:
        fields = b""
        if not self._filtered.is_stored:
            fields = delivery_fields(self._envelope.reverse_path, self._filtered.recipient.address)
        for copy in self._filtered.copies:
            yield self._deposit(copy, fields)

    def notices(self) -> Iterator[Deposit]:
        """What the owner is told of failed scripts."""
        for failure in self._filtered.failures:
            if failure.is_own:
                notice = build_failure_notice(
                    failure,
                    host=self._writing.host,
                    owner=self._owner.address,
                    message_id=self._message_id(),
                    date=self._writing.now,
                )
                yield Deposit(self._owner, Target(), (), b"", notice)

    def redirected(self) -> Iterator[Mail]:
        """The message itself, its bytes as they came, or as the script edited them."""
        mark = f"{REDIRECTED_FROM}: {self._owner.address}\r\n".encode()
        notify = _without_success(self._filtered.recipient.notify)
        for one in self._filtered.redirections:
            yield Mail(
                self._envelope.reverse_path,
                (one.address,),
                self._domain,
                prefix=mark + (self._head if one.content is None else b""),
                content=one.content,
                notify=notify,
                orcpt=self._filtered.recipient.orcpt,
                is_forward=True,
            )

    def answer(self, action: Action, deposits: list[Deposit], mails: list[Mail]) -> None:
        """Vacation or Notify, and the copy of it that the owner wants (RFC 8580)."""
        message = Message(self._content)
        sender = self._envelope.reverse_path
        if isinstance(action, Vacation) and sender is not None:
            answer = build_vacation(
                action,
                message,
                sender=action.recipient or self._owner.address,
                recipient=format_address(sender),
                message_id=self._message_id(),
                date=self._writing.now,
            )
            recipients: tuple[Address, ...] = (sender,)
            reverse_path = None
        elif isinstance(action, Notify) and (uri := parse_mailto(action.method)) is not None:
            answer = build_notification(
                action,
                uri,
                message,
                owner=self._owner.address,
                message_id=self._message_id(),
                date=self._writing.now,
            )
            recipients = uri.recipients
            # RFC 5436 §2.7: null for what came with a null path; the recipient may be a group, which gets no bounces
            reverse_path = None if sender is None else self._owner_address()
        else:
            return
        if recipients:
            mails.append(self._own_mail(reverse_path, recipients, answer))
        if action.copy is not None:
            copy = Copy(target_of(action.copy), action.copy.flags, answer)
            deposits.append(self._deposit(copy, b""))

    def refuse(self, refusal: Refusal, deposits: list[Deposit], mails: list[Mail]) -> None:
        """Tell the sender by mail. Where nobody may be told, the message is kept: nobody would miss it otherwise."""
        sender = self._envelope.reverse_path
        if sender is None or self._filtered.is_spam:
            is_spam = self._filtered.is_spam
            target = JUNK if is_spam else Target()
            fields = delivery_fields(sender, self._filtered.recipient.address)
            deposits.append(self._deposit(Copy(target), fields))
        elif not refusal.extended:
            told = self._rejection(refusal.reason, format_address(sender))
            mails.append(self._own_mail(None, (sender,), told))
        elif is_wanted(
            ReportAction.FAILED, self._filtered.recipient.notify, format_address(sender)
        ):
            told = self._report(refusal.reason, format_address(sender))
            mails.append(self._own_mail(None, (sender,), told))

    def _rejection(self, reason: str, sender: str) -> bytes:
        """RFC 5429 §2.2.1."""
        recipient = self._filtered.recipient
        return build_rejection(
            reason,
            self._content,
            host=self._writing.host,
            refused=format_address(recipient.address),
            orcpt=recipient.orcpt,
            recipient=sender,
            message_id=self._message_id(),
            date=self._writing.now,
            boundary=f"rejected-{self._writing.new_id()}",
        )

    def _report(self, reason: str, sender: str) -> bytes:
        """RFC 5429 §2.1.2."""
        recipient = self._filtered.recipient
        failed = RecipientReport(
            format_address(recipient.address),
            ReportAction.FAILED,
            "5.7.1",
            f"Your message was refused by the recipient's mail filtering program. The reason given is: {reason}",
            orcpt=recipient.orcpt,
        )
        return build_report(
            Report(
                self._writing.host,
                (failed,),
                self._content,
                self._writing.now,
                self._envelope.ret,
                self._envelope.envid,
            ),
            sender=f"postmaster@{self._domain}",
            recipient=sender,
            message_id=self._message_id(),
            date=self._writing.now,
            boundary=f"report-{self._writing.new_id()}",
        )

    def _deposit(self, copy: Copy, fields: bytes) -> Deposit:
        prefix = fields + (self._own_head if copy.content is None else b"")
        return Deposit(self._owner, copy.target, copy.flags, prefix, copy.content)

    def _own_mail(
        self, reverse_path: Address | None, recipients: tuple[Address, ...], content: bytes
    ) -> Mail:
        notify = "NEVER" if reverse_path is None else ""
        return Mail(reverse_path, recipients, self._domain, content=content, notify=notify)

    def _owner_address(self) -> Address | None:
        try:
            return parse_address(self._owner.address)
        except AddressSyntaxError:  # a mailbox that has outlived its user
            return None

    def _message_id(self) -> str:
        return f"{self._writing.new_id()}@{self._domain}"


def _without_success(notify: str) -> str:
    """The delivery here was told of already (RFC 3461 §5.2.7)."""
    rest = [word for word in notify.split(",") if word != "SUCCESS"]
    return ",".join(rest) if rest else "NEVER"
