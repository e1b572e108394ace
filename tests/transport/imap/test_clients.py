"""Real clients against the IMAP server: imapclient, curl, imapflow. Those with a mailbox of their own are in clients/."""

import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import imapclient
import pytest

from tests.transport.imap.conftest import Account
from tests.transport.imap.running import RunningServer

NODE = Path(__file__).parents[2] / "node"
MESSAGE = b"From: Ann <ann@example.org>\r\nTo: bob@example.net\r\nSubject: hello\r\n\r\nbody\r\n"
DEFAULT_FOLDERS = {"INBOX", "Archive", "Drafts", "Sent", "Spam", "Trash"}


def program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return found


def run(*command: str, cwd: Path | None = None, code: int = 0) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def client(imap: RunningServer, account: Account) -> imapclient.IMAPClient:
    connection = imapclient.IMAPClient("localhost", imap.port, ssl_context=imap.tls)
    connection.login(account.address, account.password)
    return connection


def test_imapclient(client: imapclient.IMAPClient) -> None:
    assert {name for _, _, name in client.list_folders()} == DEFAULT_FOLDERS
    assert client.find_special_folder(b"\\Sent") == "Sent"
    assert client.has_capability("CONDSTORE")
    when = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    client.create_folder("Größe & mehr")
    client.append("Größe & mehr", MESSAGE, (b"\\Seen",), when)
    assert client.select_folder("Größe & mehr")[b"EXISTS"] == 1
    (found,) = client.fetch(
        [1], ["ENVELOPE", "INTERNALDATE", "FLAGS", "RFC822", "BODYSTRUCTURE"]
    ).values()
    assert found[b"ENVELOPE"].subject == b"hello"
    assert found[b"INTERNALDATE"].astimezone(UTC) == when
    assert found[b"FLAGS"] == (b"\\Seen",)
    assert found[b"RFC822"] == MESSAGE
    assert client.search(["SUBJECT", "hello"]) == [1]
    assert client.search(["TEXT", "ä"], "UTF-8") == []
    client.add_flags([1], [b"\\Deleted"])
    client.uid_expunge([1])
    assert client.search() == []
    client.close_folder()
    client.delete_folder("Größe & mehr")
    client.logout()
