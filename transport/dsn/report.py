"""Delivery status notifications: what became of a message, for the one who sent it.

Implements RFC 3464 (message/delivery-status), RFC 6522 (multipart/report), RFC 3461 §6 (what a DSN holds), and
RFC 6533 (the internationalised forms, used when an address of the report is not ASCII). Pure: the date, the ids
and the boundary come in. Localised text is left out: plain English words stand beside the machine's part.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from enum import Enum

FULL_MAXIMUM = 1024 * 1024  # octets; above it only the header comes back
HEADER_MAXIMUM = 64 * 1024
WORD_MAXIMUM = 200  # characters

# hexchar of xtext, RFC 3461 §4
_HEXCHAR = re.compile(r"\+([0-9A-F]{2})")
# EmbeddedUnicodeChar, RFC 6533 §3
_EMBEDDED_UNICODE = re.compile(r"\\x\{([0-9A-F]{2,6})\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class Action(Enum):
    """RFC 3464 §2.3.3."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class RecipientReport:
    """What became of one recipient. `reply` is in the words of `remote_host`, or ours when that is "".

    `orcpt` is `addr-type;xtext` as the sender gave it, or "".
    """

    forward_path: str
    action: Action
    status: str
    reply: str = ""
    remote_host: str = ""
    orcpt: str = ""
    last_attempt_at: datetime | None = None
    will_retry_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A notification, and the message that it is about.

    `original` is the message as it was sent; `ret` is "FULL", "HDRS" or "" (RFC 3461 §4.3): all of it comes back
    for a failure when FULL was asked. `envid` is xtext as the sender gave it.
    """

    reporting_host: str
    recipients: tuple[RecipientReport, ...]
    original: bytes
    arrived_at: datetime
    ret: str = ""
    envid: str = ""


def build_report(
    report: Report, *, sender: str, recipient: str, message_id: str, date: datetime, boundary: str
) -> bytes:
    """The notification as a message with CRLF, to be sent from the null reverse-path.

    `sender` and `recipient` are addresses for the From and To fields; `message_id` is without brackets;
    `boundary` must not occur in the original.
    """
    is_global = not all(r.forward_path.isascii() and r.orcpt.isascii() for r in report.recipients)
    header = [
        f"From: Mail Delivery System <{sender}>",
        f"To: <{recipient}>",
        f"Subject: {_subject(report)}",
        f"Date: {format_datetime(date)}",
        f"Message-ID: <{message_id}>",
        "Auto-Submitted: auto-replied",  # RFC 3834 §5.2
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status;",
        f'\tboundary="{boundary}"',
    ]
    parts = [
        _text_part(report),
        _status_part(report, is_global=is_global),
        _original_part(report, is_global=is_global),
    ]
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return _lines(header) + b"\r\n" + body + b"--" + boundary.encode() + b"--\r\n"


def _subject(report: Report) -> str:
    actions = {recipient.action for recipient in report.recipients}
    if Action.FAILED in actions:
        return "Undelivered mail returned to sender"
    if Action.DELAYED in actions:
        return "Delayed mail (still being tried)"
    return "Mail delivery report"


_WORDS = {
    Action.FAILED: "Your message could not be delivered to:",
    Action.DELAYED: "Your message could not be delivered yet. It is tried again; you need not send it again:",
    Action.DELIVERED: "Your message was delivered to:",
    Action.RELAYED: "Your message was passed on to a system that sends no further reports, for:",
    Action.EXPANDED: "Your message was delivered to a list, and passed on to its members:",
}


def _text_part(report: Report) -> bytes:
    lines = [f"This is the mail system at {report.reporting_host}.", ""]
    for action, words in _WORDS.items():
        concerned = [r for r in report.recipients if r.action is action]
        if not concerned:
            continue
        lines += [words, ""]
        for recipient in concerned:
            lines.append(f"  <{recipient.forward_path}>")
            lines += [f"      {line}" for line in _explanation(recipient)]
        lines.append("")
    is_ascii = all(line.isascii() for line in lines)
    header = [
        f"Content-Type: text/plain; charset={'us-ascii' if is_ascii else 'utf-8'}",
        f"Content-Transfer-Encoding: {'7bit' if is_ascii else '8bit'}",
    ]
    return _lines(header) + b"\r\n" + _lines(lines)


def _explanation(recipient: RecipientReport) -> list[str]:
    if not recipient.reply:
        return []
    words = _wrapped(_one_line(recipient.reply))
    if not recipient.remote_host:
        return words
    return [f"{recipient.remote_host} said:", *words]


def _status_part(report: Report, *, is_global: bool) -> bytes:
    """RFC 3464 §2.2 and §2.3; RFC 6533 §3 for the global form."""
    fields = [f"Reporting-MTA: dns; {report.reporting_host}"]
    if report.envid:
        fields.insert(0, f"Original-Envelope-Id: {_one_line(decode_xtext(report.envid))}")
    fields.append(f"Arrival-Date: {format_datetime(report.arrived_at)}")
    groups = [
        fields,
        *(_recipient_fields(recipient, is_global=is_global) for recipient in report.recipients),
    ]
    kind = "global-delivery-status" if is_global else "delivery-status"
    header = [f"Content-Type: message/{kind}"]
    if is_global:
        header.append("Content-Transfer-Encoding: 8bit")
    return _lines(header) + b"\r\n" + b"\r\n".join(_lines(group) for group in groups)


def _recipient_fields(recipient: RecipientReport, *, is_global: bool) -> list[str]:
    fields = []
    if recipient.orcpt:
        fields.append(f"Original-Recipient: {_original_recipient(recipient.orcpt)}")
    address_type = "rfc822" if recipient.forward_path.isascii() else "utf-8"
    fields.append(f"Final-Recipient: {address_type}; {recipient.forward_path}")
    fields.append(f"Action: {recipient.action.value}")
    fields.append(f"Status: {recipient.status}")
    if recipient.reply:
        reply = _one_line(recipient.reply)
        if not is_global:
            reply = reply.encode("ascii", "replace").decode()
        if recipient.remote_host:
            fields.append(f"Remote-MTA: dns; {recipient.remote_host}")
        author = "smtp" if recipient.remote_host else "X-Mailsite"
        folded = "\r\n    ".join(_wrapped(reply))
        fields.append(f"Diagnostic-Code: {author}; {folded}")
    if recipient.last_attempt_at:
        fields.append(f"Last-Attempt-Date: {format_datetime(recipient.last_attempt_at)}")
    if recipient.will_retry_until and recipient.action is Action.DELAYED:
        fields.append(f"Will-Retry-Until: {format_datetime(recipient.will_retry_until)}")
    return fields


def _original_part(report: Report, *, is_global: bool) -> bytes:
    is_failure = any(recipient.action is Action.FAILED for recipient in report.recipients)
    is_full = report.ret.upper() == "FULL" and is_failure and len(report.original) <= FULL_MAXIMUM
    content = report.original if is_full else _header_of(report.original)
    if is_full:
        kind = "message/global" if is_global else "message/rfc822"
    else:
        kind = "message/global-headers" if is_global else "text/rfc822-headers"
    header = [f"Content-Type: {kind}"]
    if not content.isascii():
        header.append("Content-Transfer-Encoding: 8bit")
    return _lines(header) + b"\r\n" + content


def _header_of(content: bytes) -> bytes:
    """The header section, whole lines, bounded."""
    end = content.find(b"\r\n\r\n")
    header = content if end < 0 else content[: end + 2]
    if len(header) > HEADER_MAXIMUM:
        header = header[: header.rfind(b"\n", 0, HEADER_MAXIMUM) + 1]
    return header


def _original_recipient(orcpt: str) -> str:
    """RFC 3464 §2.3.1: the type, and the address out of its xtext (RFC 3461 §4.2) or unitext (RFC 6533 §3)."""
    address_type, _, address = orcpt.partition(";")
    decoded = decode_xtext(address)
    if address_type.lower() == "utf-8":
        decoded = _EMBEDDED_UNICODE.sub(_unicode_character, decoded)
    return f"{address_type}; {_one_line(decoded)}"


def _unicode_character(match: re.Match[str]) -> str:
    number = int(match[1], 16)
    is_character = number < 0x110000 and not 0xD800 <= number < 0xE000
    return chr(number) if is_character else match[0]


def decode_xtext(text: str) -> str:
    """The text that was encoded by RFC 3461 §4."""
    return _HEXCHAR.sub(lambda match: chr(int(match[1], 16)), text)


def _one_line(text: str) -> str:
    """Words of others as one line of a field: no control character gets through."""
    return _CONTROL.sub(" ", text.encode("utf-8", "replace").decode()).strip()


def _wrapped(text: str, width: int = 72) -> list[str]:
    """Lines broken at spaces, and words broken where one has none: no line nears 998 octets (RFC 5322 §2.1.1)."""
    lines = [""]
    for word in text.split():
        for start in range(0, len(word), WORD_MAXIMUM):
            piece = word[start : start + WORD_MAXIMUM]
            if lines[-1] and len(lines[-1]) + 1 + len(piece) > width:
                lines.append("")
            lines[-1] = f"{lines[-1]} {piece}" if lines[-1] else piece
    return lines


def _lines(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()
