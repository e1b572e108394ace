"""vacation (RFC 5230) and vacation-seconds (RFC 6131): whether an answer is due. Somebody else writes and sends it."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accounts.addresses import split_subaddress
from accounts.mailstore.headers import parse_addresses
from routing.sieve.actions import Action, Memory, Vacation
from routing.sieve.calls import Call
from routing.sieve.errors import RunError
from routing.sieve.language import Extension, Shape, Signature, TagKind
from routing.sieve.occasion import needs_delivery
from routing.sieve.texts import Text, source_of, text_of, texts_of

if TYPE_CHECKING:
    from routing.sieve.interpreter import Run

DAY = 86_400  # seconds
DEFAULT_DAYS, DAYS_MAXIMUM = 7, 365
SECONDS_MINIMUM = 60  # RFC 6131 §2 leaves the least to the site

_RECIPIENT_FIELDS = ("to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc")
_LIST_FIELDS = (
    "list-id",
    "list-help",
    "list-subscribe",
    "list-unsubscribe",
    "list-post",
    "list-owner",
    "list-archive",
)
# Addresses of programs (§4.6, RFC 2142): nobody reads what is sent there.
_PROGRAM = re.compile(
    r"(?:mailer-daemon|listserv|majordomo|mailman|bounces?|no-?reply|do-?not-?reply"
    r"|owner-.*|.*-owner|.*-request|.*-bounces?|bounces?[-+].*)",
    re.IGNORECASE,
)
_ANSWERED = "vacation"


@dataclass(frozen=True, slots=True)
class _Vacation:
    reason: Text
    subject: Text
    sender: Text
    addresses: Sequence[Text]
    mime: bool
    seconds: int
    identity: bytes
    amend: Callable[["Run", Action], Action]

    def run(self, run: "Run") -> None:
        needs_delivery(run, "vacation")
        if _ANSWERED in run.state:  # by an included script too (§4.7)
            raise RunError("a script answers a message once")
        run.state[_ANSWERED] = True
        if any(isinstance(action, Vacation) for action in run.actions):
            run.note("no answer: a script before this one answers")
            return
        if reason := why_no_answer(run):
            run.note(f"no answer: {reason}")
            return
        recipient = own_recipient(run, texts_of(run, self.addresses))
        if recipient is None:
            run.note("no answer: the message is not addressed to the owner")
            return
        # the answer is told apart by what is written in the script, before anything is expanded (§4.2)
        sender = run.envelope.sender.lower().encode("utf-8", "surrogatepass")
        key = hashlib.sha256(self.identity + sender).digest()
        if self.seconds and run.host.was_seen("vacation", key):
            run.note("no answer: the sender has had this one")
            return
        run.act(
            self.amend(
                run,
                Vacation(
                    text_of(run, self.reason),
                    recipient,
                    subject=text_of(run, self.subject),
                    sender=text_of(run, self.sender),
                    mime=self.mime,
                    line=run.line,
                ),
            )
        )
        if self.seconds:
            run.memories.append(Memory("vacation", key, self.seconds))


def why_no_answer(run: "Run") -> str:
    """Why an automatic answer to the message would be wrong (§4.6, RFC 3834 §2), or ""."""
    sender, message = run.envelope.sender, run.message
    if not sender:
        return "the reverse-path is null"
    if _PROGRAM.fullmatch(sender.rpartition("@")[0]):
        return "the sender is a program"
    if _plain(sender) in {_plain(own) for own in run.host.own_addresses()}:
        return "the sender is the owner"
    if any(message.fields(name) for name in _LIST_FIELDS):
        return "the message comes from a list"
    for field in message.fields("auto-submitted"):
        if field.text.partition(";")[0].strip().lower() != "no":
            return "the message was made by a program"
    for field in message.fields("precedence"):
        if field.text.strip().lower() in ("bulk", "junk", "list"):
            return "the message is bulk mail"
    for field in message.fields("x-auto-response-suppress"):
        if {"all", "oof", "autoreply"} & {word.strip() for word in field.text.lower().split(",")}:
            return "the sender wants no answer"
    return ""


def own_recipient(run: "Run", more: Sequence[str]) -> str | None:
    """The owner's address that the message names in its header (§4.5); None where it names none.

    For one that only the script calls the owner's, the recipient of the envelope.
    """
    envelope = run.envelope.recipient
    # that of the envelope may be a group's, for which no member answers
    known = {_plain(own): own for own in run.host.own_addresses() or (envelope,) if own}
    told = {_plain(address) for address in more}
    for name in _RECIPIENT_FIELDS:
        for field in run.message.fields(name):
            for address in field.addresses:
                plain = _plain(f"{address.local_part}@{address.domain}")
                if plain in known:
                    return known[plain]
                if plain in told:
                    return envelope or None
    return None


def _plain(address: str) -> str:
    """What is compared: lower case, no subaddress."""
    local_part, _, domain = address.strip().lower().rpartition("@")
    return f"{split_subaddress(local_part)[0]}@{domain}"


def _build(call: Call) -> _Vacation:
    reason, subject, sender = call.text(0), call.tag("subject") or "", call.tag("from") or ""
    if isinstance(sender, str) and call.has("from") and not _is_mailbox_list(sender):
        raise call.invalid(f"{sender[:200]!r} is no address to answer from")
    if call.has("mime") and isinstance(reason, str) and not _entity_header(reason).isascii():
        raise call.invalid("the header of a MIME entity is ASCII only", 0)  # §5
    handle = call.tag("handle")
    parts = (
        ("handle", source_of(handle))
        if handle is not None
        else (source_of(subject), source_of(sender), str(call.has("mime")), source_of(reason))
    )
    identity = hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).digest()
    return _Vacation(
        reason,
        subject,
        sender,
        call.tag("addresses") or (),
        call.has("mime"),
        _seconds(call),
        identity,
        call.amend,
    )


def _is_mailbox_list(text: str) -> bool:
    found = parse_addresses(text.encode("utf-8", "surrogatepass"))
    return bool(found) and all(address.local_part and address.domain for address in found)


def _entity_header(entity: str) -> str:
    return (
        entity.replace("\r\n", "\n").partition("\n\n")[0] if entity[:1] not in ("\r", "\n") else ""
    )


def _seconds(call: Call) -> int:
    """How long the same sender gets no second answer; 0 is never (RFC 6131 §2)."""
    period = call.tag("period")
    if call.tag_name("period") == "seconds":
        assert isinstance(period, int)
        return min(max(period, SECONDS_MINIMUM), DAYS_MAXIMUM * DAY) if period else 0
    days = DEFAULT_DAYS if period is None else period
    assert isinstance(days, int)
    return min(max(days, 1), DAYS_MAXIMUM) * DAY


VACATION = Extension(
    "vacation",
    commands=(
        Signature(
            "vacation",
            _build,
            (Shape.STRING,),
            tags=(
                TagKind("days", Shape.NUMBER, "period"),
                TagKind("subject", Shape.STRING),
                TagKind("from", Shape.STRING),
                TagKind("addresses", Shape.STRINGS),
                TagKind("mime"),
                TagKind("handle", Shape.STRING),
            ),
        ),
    ),
    is_for_delivery=True,
)
SECONDS = Extension(
    "vacation-seconds",
    tags=((("vacation",), TagKind("seconds", Shape.NUMBER, "period")),),
    implies=("vacation",),
    is_for_delivery=True,
)
