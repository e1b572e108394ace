"""Roundcube in a headless Chromium: log in, read, search, flag, move, delete, write a draft, send."""

import json
import shutil
import subprocess
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.certificates import make_certificate
from tests.end_to_end.mail import wait_for
from tests.end_to_end.roundcube import missing, roundcube
from tests.end_to_end.servers import PASSWORD, Server
from tests.transport.imap.recorder import Recorder

NODE = Path(__file__).parents[1] / "node"
BROWSER_SECONDS = 240  # about 25 on a quiet machine


def node_major() -> int:
    """Node's version, which Playwright wants at 20; 0 where there is none."""
    if shutil.which("node") is None:
        return 0
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    return int(version.stdout.removeprefix("v").partition(".")[0])


pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.skipif(node_major() < 20, reason="nodejs 20 or later is missing"),
    pytest.mark.skipif(
        not (NODE / "node_modules/playwright-core").is_dir(), reason="npm ci --prefix tests/node"
    ),
]


def make(subject: str, body: str, to: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Änn <ann@sender.test>", to, subject
    message["Message-ID"] = f"<{subject.replace(' ', '.')}@sender.test>"
    message["Date"] = "Mon, 6 May 2024 07:08:09 +0000"
    message.set_content(body)
    if subject == "Read me":
        message.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="ä.pdf")
    return message.as_bytes().replace(b"\n", b"\r\n")


def test_a_day_in_roundcube(server: Server, tmp_path: Path) -> None:
    address, friend = "roundcube@example.test", "friend.of.roundcube@example.test"
    server.add_users(address, friend)
    names = ["Read me", "Flag me", "Keep new", "Move me", "Junk me", "Delete me", "Haystack"]
    with server.imap(address) as client:
        for name in names:
            body = "with a needle" if name == "Haystack" else f"Größe: {name}"
            client.append("INBOX", make(name, body, address))
    screenshots = tmp_path / "screenshots"
    screenshots.mkdir()
    recorder = Recorder(make_certificate(tmp_path, "127.0.0.1"), server.address, server.ports.imaps)
    with roundcube(
        tmp_path, recorder.port, f"{server.address}:{server.ports.submissions}"
    ) as address_of_web:
        done = subprocess.run(
            [
                "node", str(NODE / "roundcube.mjs"), "/usr/bin/chromium", address_of_web, address,
                PASSWORD, friend, str(screenshots),
            ],
            capture_output=True, text=True, timeout=BROWSER_SECONDS, check=False,
        )  # fmt: skip
    log = tmp_path / "errors.log"
    assert done.returncode == 0, (
        done.stdout[-2000:], done.stderr[-3000:], log.read_text()[-3000:] if log.exists() else "",
    )  # fmt: skip
    recorder.stop()
    assert not recorder.refused()
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["errors"] == []
    assert [name.split("\n")[0] for name in seen["folders"]] == [
        "Inbox", "Drafts", "Sent", "Junk", "Trash", "Archive",
    ]  # fmt: skip
    assert sorted(seen["list"]) == sorted(names)
    assert "Größe: Read me" in seen["body"]
    assert "ä.pdf" in seen["attachments"][0]
    assert seen["found"] == ["Haystack"]
    assert sorted(seen["left"]) == ["Flag me", "Haystack", "Keep new", "Read me"]
    assert seen["drafts"] == ["A draft"]
    assert seen["sent"] == ["Sent größer"]
    with server.imap(address) as client:
        flags = {}
        for folder in ("INBOX", "Archive", "Spam", "Trash", "Drafts", "Sent"):
            client.select_folder(folder, readonly=True)
            for data in client.fetch(client.search("ALL"), ["FLAGS", "ENVELOPE"]).values():
                flags[folder, data[b"ENVELOPE"].subject] = set(data[b"FLAGS"])
        assert client.folder_exists("Größe & mehr")
    assert {where for where in flags if where[0] in ("Archive", "Spam", "Trash")} == {
        ("Archive", b"Move me"), ("Spam", b"Junk me"), ("Trash", b"Delete me"),
    }  # fmt: skip
    assert b"\\Flagged" in flags["INBOX", b"Flag me"]
    assert b"\\Seen" in flags["INBOX", b"Read me"]
    assert b"\\Seen" not in flags["INBOX", b"Keep new"]
    assert ("Drafts", b"A draft") in flags
    with server.imap(friend) as client:
        (uid,) = wait_for(client, 1)
        assert "straßenweise".encode() in client.fetch([uid], ["BODY[]"])[uid][b"BODY[]"]
