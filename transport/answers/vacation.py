"""The answer of somebody who is away: RFC 5230 §5, RFC 3834. Pure: date and id come in."""

import re
from datetime import datetime
from email.utils import format_datetime

from routing.sieve.actions import Vacation
from routing.sieve.message import Message
from transport.answers.composing import address_field, ids_field, text_field, text_part

NO_SUBJECT = "Automated reply"
REFERENCES_MAXIMUM = 20
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")


def build_vacation(
    action: Vacation,
    message: Message,
    *,
    sender: str,
    recipient: str,
    message_id: str,
    date: datetime,
) -> bytes:
    """The answer to `message`, from `sender` (who may have a display name) to `recipient`."""
    header = [
        address_field("From", action.sender or sender),
        address_field("To", recipient),
        text_field("Subject", action.subject or _subject(message)),
        f"Date: {format_datetime(date)}\r\n".encode(),
        f"Message-ID: <{message_id}>\r\n".encode(),
        *reply_fields(message),
        b"Auto-Submitted: auto-replied (vacation)\r\n",  # §5.6
        b"X-Auto-Response-Suppress: All\r\n",  # for Exchange, which knows no Auto-Submitted
        b"MIME-Version: 1.0\r\n",
    ]
    return b"".join(header) + (_entity(action.reason) if action.mime else text_part(action.reason))


def reply_fields(message: Message) -> list[bytes]:
    """In-Reply-To and References of an answer (RFC 5322 §3.6.4); none without a Message-ID."""
    [own, *_] = [*_ids(message, "Message-ID"), ""]
    if not own:
        return []
    before = _ids(message, "References") or _ids(message, "In-Reply-To")[:1]
    references = [one for one in before if one != own]
    if len(references) > REFERENCES_MAXIMUM:  # the first and the last ones matter
        references = [references[0], *references[1 - REFERENCES_MAXIMUM :]]
    return [ids_field("In-Reply-To", [own]), ids_field("References", [*references, own])]


def _ids(message: Message, name: str) -> list[str]:
    values = (field.raw.decode("ascii", "replace") for field in message.fields(name)[:1])
    return [found for value in values for found in _MESSAGE_ID.findall(value)]


def _subject(message: Message) -> str:
    subjects = message.fields("Subject")
    return f"Auto: {subjects[0].text}" if subjects else NO_SUBJECT


def _entity(mime: str) -> bytes:
    """A MIME entity that the script wrote (§4.4), with the fields that a message's own header may not have twice left out."""
    text = mime.replace("\r\n", "\n").replace("\r", "\n")
    head, _, body = text.partition("\n\n") if not text.startswith("\n") else ("", "", text[1:])
    fields = re.split(r"\n(?![ \t])", head)
    kept = [one for one in fields if one.lower().startswith("content-") and one.isascii()]
    if not kept and body and not body.isascii():
        return text_part(body)
    lines = "\n".join([*kept, "", body.rstrip("\n"), ""])
    return lines.encode("utf-8", "replace").replace(b"\n", b"\r\n")
