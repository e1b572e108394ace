"""Notifications by mail: the `mailto` method of `notify` (RFC 5436). Pure."""

from datetime import datetime
from email.utils import format_datetime

from accounts.addresses import Address
from routing.sieve.actions import Notify
from routing.sieve.mailto import RECIPIENTS_MAXIMUM, MailtoUri
from routing.sieve.message import Message
from transport.answers.composing import address_field, one_line, text_field, text_part
from transport.answers.vacation import reply_fields

_IMPORTANCE = {
    1: b"Importance: high\r\nX-Priority: 1\r\n",
    3: b"Importance: low\r\nX-Priority: 5\r\n",
}


def build_notification(
    action: Notify,
    uri: MailtoUri,
    message: Message,
    *,
    owner: str,
    message_id: str,
    date: datetime,
) -> bytes:
    """The notification of `message`; `owner` is the address of whose script it is."""
    header = [
        f'Auto-Submitted: auto-notified; owner-email="{one_line(owner)}"\r\n'.encode(),  # §2.7.1
        address_field("From", action.sender or owner),
        *(_list_field("To", uri.to)),
        *(_list_field("Cc", uri.cc)),
        text_field("Subject", action.message or uri.subject or _subject(message)),
        f"Date: {format_datetime(date)}\r\n".encode(),
        f"Message-ID: <{message_id}>\r\n".encode(),
        *reply_fields(message)[1:],
        _IMPORTANCE.get(action.importance, b""),
        b"MIME-Version: 1.0\r\n",
    ]
    return b"".join(header) + text_part(uri.body or _excerpt(message))


def _list_field(name: str, addresses: tuple[Address, ...]) -> list[bytes]:
    if not addresses:
        return []
    value = ",\r\n ".join(map(str, addresses[:RECIPIENTS_MAXIMUM]))
    return [f"{name}: {value}\r\n".encode()]


def _subject(message: Message) -> str:
    subjects = message.fields("Subject")
    return subjects[0].text if subjects else "New message"


def _excerpt(message: Message) -> str:
    """From and Subject: enough to know what came."""
    lines = [
        f"{field.name}: {field.text[:200]}"
        for name in ("From", "Subject")
        for field in message.fields(name)[:1]
    ]
    return "\n".join(["A message has arrived.", "", *lines])
