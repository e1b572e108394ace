"""What the end to end tests do with mail: make it, send it, wait for it, read it."""

import time
from collections.abc import Iterator
from typing import Any

from imapclient import IMAPClient

DEADLINE_SECONDS = 30.0
# The header fields that this server puts above a message (RFC 5321 §4.4, RFC 8601).
OWN_FIELDS = (
    b"return-path",
    b"delivered-to",
    b"received",
    b"received-spf",
    b"authentication-results",
    b"dkim-signature",
    b"x-spam-status",
    b"x-spam-flag",
)


def make_message(sender: str, recipient: str, subject: str, *more: str, body: str = "") -> bytes:
    """A small message with CRLF line ends; `more` are further header lines."""
    lines = [
        f"From: <{sender}>",
        f"To: <{recipient}>",
        f"Subject: {subject}",
        "Date: Mon, 02 Nov 2026 10:00:00 +0000",
        f"Message-ID: <{subject.replace(' ', '-')}@{sender.split('@')[1]}>",
        *more,
        "",
        body or f"This is the text of {subject}.",
        "",
    ]
    return "\r\n".join(lines).encode()


def wait_for(client: IMAPClient, count: int, folder: str = "INBOX") -> list[int]:
    """Select the folder and IDLE until it holds `count` messages; returns their UIDs."""
    held = int(client.select_folder(folder)[b"EXISTS"])
    deadline = time.monotonic() + DEADLINE_SECONDS
    client.idle()
    while held < count and (left := deadline - time.monotonic()) > 0:
        for response in client.idle_check(timeout=left):
            if response[1] == b"EXISTS":
                held = response[0]
    client.idle_done()
    assert held >= count, f"{held} of {count} messages came to {folder}"
    uids: list[int] = client.search("ALL")
    return uids


def content_of(client: IMAPClient, uid: int) -> bytes:
    """The whole message as a client reads it."""
    fetched: dict[int, dict[bytes, Any]] = client.fetch([uid], ["BODY.PEEK[]"])
    content: bytes = fetched[uid][b"BODY[]"]
    return content


def own_prefix(stored: bytes, sent: bytes) -> bytes:
    """What the server put above `sent`. Raises AssertionError when `sent` is not there byte for byte."""
    assert stored.endswith(sent), _difference(stored, sent)
    return stored[: len(stored) - len(sent)]


def field_names(header: bytes) -> list[bytes]:
    """The lower-case names of the fields of a header, in order."""
    lines = header.split(b"\r\n")
    return [
        line.split(b":", 1)[0].lower() for line in lines if line and line[:1] not in (b" ", b"\t")
    ]


def _difference(stored: bytes, sent: bytes) -> str:
    tail = stored[-len(sent) :]
    at = next(
        (i for i, (a, b) in enumerate(zip(tail, sent, strict=False)) if a != b),
        min(len(tail), len(sent)),
    )
    return f"they differ {at} octets in: {tail[max(0, at - 40) : at + 40]!r} for {sent[max(0, at - 40) : at + 40]!r}"


def leaves(structure: Any, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Any]]:
    """(section path, BODYSTRUCTURE of it) of each part that is no multipart (RFC 9051 §6.4.5.1)."""
    if structure.is_multipart:
        for number, part in enumerate(structure[0], 1):
            yield from leaves(part, (*path, number))
        return
    path = path or (1,)
    yield path, structure
