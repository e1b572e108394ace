"""Real messages: delivered over SMTP, fetched back byte for byte, their BODYSTRUCTURE compared with what is there."""

import email
import email.policy
import os
import smtplib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.mail import OWN_FIELDS, field_names, leaves, own_prefix
from tests.end_to_end.servers import ROOT, Server

READER = "reader@example.test"
WHOLE = Path(os.environ.get("MAILSITE_CORPUS") or ROOT.parent / "shared/corpus/sample.zip")
COPY = ROOT / "tests/messages/corpus.zip"
MESSAGES_A_CONNECTION = 50


@dataclass(frozen=True, slots=True)
class Delivered:
    """One message: its file's name, what was sent, what came back."""

    name: str
    sent: bytes
    stored: bytes
    structure: Any
    size: int
    uid: int


def corpus() -> dict[str, bytes]:
    """The whole corpus where it is found, else the copy of some of it; with CRLF line ends."""
    with zipfile.ZipFile(WHOLE if WHOLE.exists() else COPY) as archive:
        raw = {n: archive.read(n) for n in archive.namelist() if n.endswith(".eml")}
    return {name: as_sent(content) for name, content in sorted(raw.items())}


def as_sent(content: bytes) -> bytes:
    """CRLF line ends, and one at the end: DATA has no other."""
    content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
    return content if content.endswith(b"\r\n") else content + b"\r\n"


@pytest.fixture(scope="module")
def delivered(server: Server) -> Iterator[list[Delivered]]:
    server.add_users(READER)
    messages = corpus()
    assert len(messages) >= 24
    refused: dict[str, object] = {}
    taken: list[str] = []
    client: smtplib.SMTP | None = None
    for number, (name, content) in enumerate(messages.items()):
        if client is None or number % MESSAGES_A_CONNECTION == 0:
            if client is not None:
                client.quit()
            client = server.smtp()
        try:
            client.sendmail("sender@sender.test", [READER], content, ["BODY=8BITMIME"])
            taken.append(name)
        except smtplib.SMTPResponseException as error:
            refused[name] = error
    assert client is not None
    client.quit()
    assert not refused
    with server.imap(READER) as reader:
        reader.select_folder("INBOX", readonly=True)
        uids = reader.search("ALL")
        assert len(uids) == len(taken)
        rows = reader.fetch(uids, ["BODY.PEEK[]", "BODYSTRUCTURE", "RFC822.SIZE"])
        yield [
            Delivered(
                name, messages[name], rows[uid][b"BODY[]"], rows[uid][b"BODYSTRUCTURE"],
                rows[uid][b"RFC822.SIZE"], uid,
            )
            for name, uid in zip(taken, uids, strict=True)
        ]  # fmt: skip


def test_every_message_comes_back_byte_for_byte_below_our_own_header_fields(
    delivered: list[Delivered],
) -> None:
    for message in delivered:
        prefix = own_prefix(message.stored, message.sent)
        assert set(field_names(prefix)) <= set(OWN_FIELDS), message.name
        assert message.size == len(message.stored), message.name


def test_every_part_has_the_size_and_lines_that_its_bodystructure_says(
    server: Server, delivered: list[Delivered]
) -> None:
    with server.imap(READER) as reader:
        reader.select_folder("INBOX", readonly=True)
        for message in delivered:
            parts = list(leaves(message.structure))
            sections = [".".join(map(str, path)) for path, _ in parts]
            assert sections, message.name
            row = reader.fetch([message.uid], [f"BODY.PEEK[{s}]" for s in sections])[message.uid]
            for section, (_, part) in zip(sections, parts, strict=True):
                content = row[f"BODY[{section}]".encode()]
                assert part[6] == len(content), (message.name, section)
                if part[0].lower() == b"text":
                    lines = content.count(b"\n") + (bool(content) and not content.endswith(b"\n"))
                    assert part[7] in (lines, content.count(b"\n")), (message.name, section)


def test_types_of_the_parts_are_those_that_another_parser_finds(delivered: list[Delivered]) -> None:
    compared = 0
    for message in delivered:
        parsed = email.message_from_bytes(message.sent, policy=email.policy.compat32)
        if any(part.defects for part in parsed.walk()):
            continue  # what is broken may be read in more than one way
        expected = [part.get_content_type().split()[0] for part in top_leaves(parsed)]
        found = [
            f"{part[0].decode()}/{part[1].decode()}".lower()
            for _, part in leaves(message.structure)
        ]
        assert found == expected, message.name
        compared += 1
    assert compared >= len(delivered) * 0.8


def top_leaves(part: email.message.Message) -> Iterator[email.message.Message]:
    """The parts that are no multipart, without those inside of message/rfc822."""
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        for child in part.get_payload():
            yield from top_leaves(child)
    else:
        yield part
