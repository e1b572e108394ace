"""From what a mailbox's scripts asked for to what is done with its copy. Pure.

Spam goes nowhere and answers nobody. A message that was redirected from here before is kept: it came in a loop. What a
script wrote goes on in no other user's name. What cannot be done (an address that is none, a list without members) leaves the message in the inbox. RFC 5228, RFC 5429.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from accounts.addresses import (
    Address,
    AddressSyntaxError,
    canonical_domain,
    parse_address,
    split_subaddress,
)
from accounts.entries import MailboxFacts
from accounts.mailstore.headers import HeaderAddress, parse_addresses
from routing.decisions import Copy, Filtered, Redirection, Refusal, Target
from routing.envelope import Recipient
from routing.filtering.versions import Versions
from routing.sieve import actions as sieve
from routing.sieve.actions import (
    Action,
    Discard,
    FileInto,
    Keep,
    Notify,
    Redirect,
    Reject,
    SetFlags,
    Vacation,
)
from routing.sieve.message import Message
from routing.sieve.results import Result
from routing.sieve.wording import in_words

REDIRECTED_FROM = "X-Sieve-Redirected-From"
HOPS_MAXIMUM = 5  # of a message; each may make four of it
LIST_MEMBERS_MAXIMUM = 100  # addresses that one message is redirected to by way of lists


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What planning has to know. `original` is the message before its scripts; `sender` "" is the null path.

    `members` gives those of one of the owner's lists, `local_domains` those of some domains that are ours. `is_stored` as
    in Filtered, where the message has `flags`.
    """

    original: Message
    sender: str
    own_addresses: Callable[[], Sequence[str]]
    members: Callable[[str], Sequence[str]]
    is_spam: bool = False
    is_stored: bool = False
    flags: tuple[str, ...] = ()
    local_domains: Callable[[Collection[str]], Collection[str]] = lambda names: ()
    versions: Versions = field(default_factory=Versions)


def plan_filtered(
    mailbox: MailboxFacts, recipient: Recipient, result: Result, around: Surroundings
) -> Filtered:
    """What is done for this mailbox; its failures and memories that others know of are not looked at here."""
    planning = _Planning(mailbox, result, around)
    for index, action in enumerate(result.actions):
        planning.add(action, result.message_of(index))
    return planning.filtered(recipient)


class _Planning:
    """The parts of one Filtered as they grow."""

    def __init__(self, mailbox: MailboxFacts, result: Result, around: Surroundings) -> None:
        self._mailbox = mailbox
        self._result = result
        self._around = around
        self._content: bytes | None = None
        self._copies: dict[Target, Copy] = {}
        self._redirections: dict[tuple[str, str], Redirection] = {}
        self._answers: list[Action] = []
        self._refusal: Refusal | None = None
        self._notes: list[str] = []
        self._must_keep = False
        self._stays = False
        self._flags = around.flags

    def add(self, action: Action, message: Message) -> None:
        """`message` is as it was when the action was asked for."""
        self._content = self._version(message)
        match action:
            case Keep() if self._around.is_stored:
                self._stays = True
                self._flags = action.flags if action.has_flags else self._flags
            case SetFlags(flags=flags) if self._around.is_stored:
                self._flags = flags
            case Reject() | Vacation() if self._around.is_stored:  # RFC 6785 §3.11
                self._leave(f"not done, since nothing is delivered: {in_words(action)}")
            case Keep(flags=flags):
                self._file(Target(), flags)
            case FileInto(folder=folder, flags=flags):
                self._file(_target(action, folder), flags)
            case Redirect():
                self._redirect(action, message)
            case Reject(reason=reason, extended=extended):
                self._refusal = Refusal(reason, extended)
            case Vacation() | Notify():
                self._answer(action)
            case Discard():
                pass
            case SetFlags():
                self._notes.append("flags of a stored message are set by imapsieve scripts only")
            case _:
                self._must_keep |= action.cancels_keep
                self._notes.append(f"not done, nobody knows how: {in_words(action)}")

    def filtered(self, recipient: Recipient) -> Filtered:
        if self._must_keep and self._around.is_stored:
            self._stays = True
        elif self._must_keep and not self._copies and self._refusal is None:
            self._content = None
            self._file(Target(), ())
        return Filtered(
            self._mailbox,
            recipient,
            copies=tuple(self._copies.values()),
            redirections=tuple(self._redirections.values()),
            answers=tuple(self._answers),
            refusal=self._refusal,
            memories=self._result.memories,
            actions=tuple(map(in_words, self._result.actions)),
            notes=tuple(self._notes),
            is_spam=self._around.is_spam,
            is_stored=self._around.is_stored,
            stays=self._stays,
            flags=self._flags,
        )

    def _file(self, target: Target, flags: tuple[str, ...]) -> None:
        """One copy a folder; the later flags win."""
        self._copies[target] = Copy(target, flags, self._content)

    def _version(self, message: Message) -> bytes | None:
        if message is self._around.original:
            return None
        content = self._around.versions.of(message)
        if content is None:
            self._notes.append("as it came: there are too many edited copies of a large message")
        return content

    def _redirect(self, action: Redirect, message: Message) -> None:
        other = self._other_author(message)
        if self._around.is_spam:
            self._leave("spam is not redirected")
        elif self._was_here():
            self._leave(
                "not redirected: it was redirected from here before and came back, or too often"
            )
        elif other and self._around.is_stored:
            self._leave(f"not redirected: it is not the owner who writes as {other}")
        else:
            if other:
                self._notes.append(f"redirected as it came: another user writes as {other}")
                self._content = None
            self._redirect_to(
                self._around.members(action.list_name) if action.list_name else [action.address]
            )

    def _redirect_to(self, addresses: Sequence[str]) -> None:
        found = 0
        for text in addresses[:LIST_MEMBERS_MAXIMUM]:
            try:
                address = parse_redirect(text)
            except AddressSyntaxError as error:
                self._notes.append(f"not redirected: {error}")
                continue
            found += 1
            self._redirections.setdefault(address.key, Redirection(address, self._content))
        if not found:
            self._leave("redirected to nobody")
        elif found < len(addresses):
            self._notes.append(f"redirected to {found} of {len(addresses)} addresses")

    def _leave(self, note: str) -> None:
        self._notes.append(note)
        self._must_keep = True

    def _was_here(self) -> bool:
        own = self._mailbox.address.casefold()
        fields = self._around.original.fields(REDIRECTED_FROM)
        return len(fields) >= HOPS_MAXIMUM or any(one.text.casefold() == own for one in fields)

    def _other_author(self, message: Message) -> str:
        """Another user of ours in whose name this would leave, from a script or a folder that its owner can write; or ""."""
        if self._content is None and not self._around.is_stored:
            return ""
        own = {address.casefold() for address in self._around.own_addresses()}
        others = {}
        for name in ("From", "Sender"):
            for author in (author for one in message.fields(name) for author in one.addresses):
                if _without_tag(author) not in own:
                    with suppress(AddressSyntaxError):
                        address = f"{author.local_part}@{author.domain}"
                        others[address] = canonical_domain(author.domain)
        ours = self._around.local_domains(set(others.values())) if others else ()
        return next((address for address, domain in others.items() if domain in ours), "")

    def _answer(self, action: Vacation | Notify) -> None:
        if self._around.is_spam:
            self._notes.append("spam is not answered")
        elif isinstance(action, Vacation) and not self._around.sender:
            self._notes.append("nobody is answered: the reverse-path is null")
        elif isinstance(action, Notify) and _is_automatic(self._around.original):
            self._notes.append("no notification of what was sent automatically")  # RFC 5436 §2.7
        else:
            self._answers.append(self._with_own_sender(action))

    def _with_own_sender(self, action: Vacation | Notify) -> Vacation | Notify:
        """Another's address in `:from` would forge its mail: the owner's takes its place."""
        if not action.sender:
            return action
        own = {address.casefold() for address in self._around.own_addresses()}
        parsed = parse_addresses(action.sender.encode("utf-8", "replace"))
        if len(parsed) == 1 and _without_tag(parsed[0]) in own:
            return action
        self._notes.append("the address in :from is not the owner's, and was not used")
        return replace(action, sender="")


def parse_redirect(text: str) -> Address:
    """The address of a `redirect`, with a display name or without. Raises AddressSyntaxError."""
    parsed = parse_addresses(text.encode("utf-8", "replace"))
    if len(parsed) != 1:
        raise AddressSyntaxError(f"{text!r} is not one address")
    return parse_address(f"{parsed[0].local_part}@{parsed[0].domain}")


def _target(where: FileInto | sieve.Copy, folder: str) -> Target:
    if folder.upper() == "INBOX" and not where.mailbox_id and not where.special_use:
        return Target()
    return Target(folder, where.create, where.mailbox_id, where.special_use)


def target_of(copy: sieve.Copy) -> Target:
    """Where a copy of a generated message goes (RFC 8580)."""
    return _target(copy, copy.folder)


def _is_automatic(message: Message) -> bool:
    values = [
        field.text.partition(";")[0].strip().lower() for field in message.fields("Auto-Submitted")
    ]
    return any(value != "no" for value in values)


def _without_tag(address: HeaderAddress) -> str:
    return f"{split_subaddress(address.local_part)[0]}@{address.domain}".casefold()
