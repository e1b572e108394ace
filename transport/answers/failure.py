"""Tells an owner that a script of theirs failed (RFC 5228 §2.10.6). Pure."""

from datetime import datetime
from email.utils import format_datetime

from routing.decisions import ScriptFailure
from transport.answers.composing import address_field, text_field, text_part


def build_failure_notice(
    failure: ScriptFailure, *, host: str, owner: str, message_id: str, date: datetime
) -> bytes:
    """A message into the owner's inbox."""
    domain = owner.rpartition("@")[2] or host
    header = [
        address_field("From", f"Mail filter <postmaster@{domain}>"),
        address_field("To", owner),
        text_field("Subject", f'Your mail filter "{failure.name}" failed'),
        f"Date: {format_datetime(date)}\r\n".encode(),
        f"Message-ID: <{message_id}>\r\n".encode(),
        b"Auto-Submitted: auto-generated\r\n",
        b"MIME-Version: 1.0\r\n",
    ]
    text = (
        f'The Sieve script "{failure.name}" could not be run over a message for {owner}:\n\n'
        f"    {failure.error}\n\n"
        "The message was kept in your inbox. Until the script is changed, the same may happen to others;\n"
        "you are told of it once a day at most.\n"
    )
    return b"".join(header) + text_part(text)
