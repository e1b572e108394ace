"""Real clients speak through a recorder, which judges every response; what they did is then asked of the server itself."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from imapclient import IMAPClient

from tests.certificates import Certificate
from tests.transport.imap.clients.programs import message
from tests.transport.imap.conftest import Account
from tests.transport.imap.recorder import Recorder
from tests.transport.imap.running import RunningServer


@dataclass(slots=True)
class Mailbox:
    """A user's mail as the server holds it, seen past the recorder."""

    account: Account
    client: IMAPClient
    recorder: Recorder
    refusals_expected: list[bytes] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where the client under test connects."""
        return self.recorder.port

    def add(self, folder: str, *subjects: str, flags: tuple[bytes, ...] = ()) -> None:
        for subject in subjects:
            self.client.append(folder, message(subject), flags)

    def folders(self) -> set[str]:
        return {name for _, _, name in self.client.list_folders()}

    def flags(self, folder: str = "INBOX") -> dict[str, set[str]]:
        """Each message's flags by its subject; a folder holds each subject once."""
        self.client.select_folder(folder, readonly=True)
        found = self.client.fetch(self.client.search("ALL"), ["FLAGS", "ENVELOPE"])
        seen = {
            data[b"ENVELOPE"].subject.decode(): {flag.decode() for flag in data[b"FLAGS"]}
            for data in found.values()
        }
        assert len(seen) == len(found), f"{folder} holds a message twice"
        return seen

    def subjects(self, folder: str = "INBOX") -> set[str]:
        return set(self.flags(folder))

    def change(self, folder: str, subject: str, flags: str) -> None:
        """Add a flag, as another client would; \\Deleted expunges too."""
        self.client.select_folder(folder)
        uids = self.client.search(["SUBJECT", subject])
        assert len(uids) == 1
        self.client.add_flags(uids, [flags])
        if flags == "\\Deleted":
            self.client.uid_expunge(uids)


@pytest.fixture
def mailbox(imap: RunningServer, account: Account, certificate: Certificate) -> Iterator[Mailbox]:
    """A mailbox for a real client; at the end, no command of the client may have been refused."""
    recorder = Recorder(certificate, "127.0.0.1", imap.port)
    client = IMAPClient("localhost", imap.port, ssl_context=imap.tls)
    client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # it ends a literal apart
    client.login(account.address, account.password)
    made = Mailbox(account, client, recorder)
    yield made
    client.logout()
    recorder.stop()
    refused = recorder.refused()
    unexpected = [
        line for line in refused if not any(word in line for word in made.refusals_expected)
    ]
    assert not unexpected, unexpected
