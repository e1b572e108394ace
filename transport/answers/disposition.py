"""A message disposition notification that tells of a `reject`: RFC 8098, in the form of RFC 5429 §2.2.1. Pure.

What comes back is the header of the message, not its body: who did not write it is not to be sent it.
"""

from datetime import datetime
from email.utils import format_datetime

from accounts.mailstore.headers import header_end
from transport.answers.composing import address_field, one_line, text_part
from transport.dsn.report import decode_xtext

HEADER_MAXIMUM = 64 * 1024
WORDS = "The message was refused by the recipient's mail filtering program.\nThe reason given was as follows:\n\n"


def build_rejection(
    reason: str,
    original: bytes,
    *,
    host: str,
    refused: str,
    orcpt: str,
    recipient: str,
    message_id: str,
    date: datetime,
    boundary: str,
) -> bytes:
    """`refused` is the address that the message was for, `recipient` its sender: neither says who is behind the former."""
    header = [
        address_field("From", refused),
        address_field("To", recipient),
        b"Subject: Automatically rejected mail\r\n",
        f"Date: {format_datetime(date)}\r\n".encode(),
        f"Message-ID: <{message_id}>\r\n".encode(),
        b"Auto-Submitted: auto-replied (rejected)\r\n",
        b"MIME-Version: 1.0\r\n",
        b"Content-Type: multipart/report; report-type=disposition-notification;\r\n",
        f'\tboundary="{boundary}"\r\n'.encode(),
    ]
    parts = [
        text_part(WORDS + reason),
        _disposition(host, refused, orcpt, _field(original, b"message-id")),
        _returned(original),
    ]
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return b"".join(header) + b"\r\n" + body + b"--" + boundary.encode() + b"--\r\n"


def _disposition(host: str, refused: str, orcpt: str, message_id: str) -> bytes:
    """RFC 8098 §3.1."""
    is_global = not refused.isascii()
    fields = [f"Reporting-UA: {host}; Mailsite"]
    if orcpt:
        kind, _, address = orcpt.partition(";")
        fields.append(f"Original-Recipient: {one_line(kind)}; {one_line(decode_xtext(address))}")
    fields.append(f"Final-Recipient: {'utf-8' if is_global else 'rfc822'}; {refused}")
    if message_id:
        fields.append(f"Original-Message-ID: {message_id}")
    fields.append("Disposition: automatic-action/MDN-sent-automatically; deleted")
    kind = "global-disposition-notification" if is_global else "disposition-notification"
    lines = [f"Content-Type: message/{kind}", "", *fields, ""]
    return "\r\n".join(lines).encode("utf-8", "replace")


def _returned(original: bytes) -> bytes:
    header = original[: min(header_end(original), HEADER_MAXIMUM)]
    header = header[: header.rfind(b"\n") + 1].removesuffix(b"\r\n\r\n") + b"\r\n"
    fields = b"Content-Type: text/rfc822-headers\r\n"
    if not header.isascii():
        fields += b"Content-Transfer-Encoding: 8bit\r\n"
    return fields + b"\r\n" + header


def _field(original: bytes, name: bytes) -> str:
    for line in original[: min(header_end(original), HEADER_MAXIMUM)].split(b"\r\n"):
        found, _, value = line.partition(b":")
        if found.strip().lower() == name:
            return one_line(value.decode("ascii", "replace"))
    return ""
