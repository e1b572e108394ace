"""Roundcube's managesieve plugin in a headless Chromium: a filter and a vacation made there work on the next mail."""

import json
import subprocess
from email.message import EmailMessage
from pathlib import Path

from tests.end_to_end.mail import wait_for
from tests.end_to_end.roundcube import roundcube
from tests.end_to_end.servers import PASSWORD, Server
from tests.end_to_end.test_roundcube import BROWSER_SECONDS, NODE, pytestmark  # noqa: F401


def make(subject: str, sender: str, to: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message.set_content("Hello")
    return message


def test_a_filter_and_a_vacation_made_in_roundcube_work(server: Server, tmp_path: Path) -> None:
    address, friend = "filters@example.test", "friend.of.filters@example.test"
    server.add_users(address, friend)
    screenshots = tmp_path / "screenshots"
    screenshots.mkdir()
    smtp = f"{server.address}:{server.ports.submissions}"
    with roundcube(tmp_path, server.ports.imaps, smtp, server.ports.sieve) as address_of_web:
        done = subprocess.run(
            [
                "node", str(NODE / "roundcube_sieve.mjs"), "/usr/bin/chromium", address_of_web,
                address, PASSWORD, str(screenshots),
            ],
            capture_output=True, text=True, timeout=BROWSER_SECONDS, check=False,
        )  # fmt: skip
    said = (tmp_path / "sieve.log").read_text()
    assert done.returncode == 0, (done.stdout[-2000:], done.stderr[-3000:], said[-3000:])
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["errors"] == []
    assert seen["messages"] == [
        "Filter saved successfully.",
        "Out-of-office data saved successfully.",
    ]
    assert sorted(seen["filters"]) == ["Größe: invoices", "Out of Office"]
    assert "S: NO" not in said
    with server.submission(friend) as client:
        client.send_message(make("Your invoice", friend, address))
        client.send_message(make("Something else", friend, address))
    with server.imap(address) as client:
        (uid,) = wait_for(client, 1)
        assert client.fetch([uid], ["ENVELOPE"])[uid][b"ENVELOPE"].subject == b"Something else"
        client.select_folder("Archive", readonly=True)
        (uid,) = client.search("ALL")
        assert client.fetch([uid], ["ENVELOPE"])[uid][b"ENVELOPE"].subject == b"Your invoice"
    with server.imap(friend) as client:
        (uid,) = wait_for(client, 1)
        answer = client.fetch([uid], ["ENVELOPE", "BODY[TEXT]", "BODY[HEADER]"])[uid]
        assert answer[b"ENVELOPE"].subject == b"Away until Monday"
        assert b"auto-replied" in answer[b"BODY[HEADER]"].lower()
        client.select_folder("INBOX", readonly=True)
        assert len(client.search("ALL")) == 1  # two messages, one answer
