"""Users of one domain with a connection each, for tests of shared folders."""

from collections.abc import Callable
from dataclasses import dataclass

from accounts.mailstore.values import MailboxId
from tests.transport.imap.dialogue import Dialogue

MESSAGE = b"From: a@example.test\r\nSubject: hello\r\n\r\nbody\r\n"


@dataclass(frozen=True, slots=True)
class Person:
    """A user of a test with a connection, logged in."""

    address: str
    mailbox: MailboxId
    says: Dialogue

    def shared(self, folder: str) -> str:
        """What others call one of this person's folders."""
        return f"Shared/{self.address}/{folder}"

    def ok(self, command: str) -> list[str]:
        """The untagged responses of a command that must succeed."""
        *untagged, tagged = self.hear(command)
        assert " OK " in tagged, (command, tagged)
        return untagged

    def no(self, command: str) -> str:
        """The response code of a command that must fail with NO."""
        tagged = self.hear(command)[-1]
        assert " NO " in tagged, (command, tagged)
        return tagged.split("[", 1)[1].split("]", 1)[0] if "[" in tagged else ""

    def hear(self, command: str) -> list[str]:
        return [r.decode().rstrip("\r\n") for r in self.says.command(command.encode())]

    def append(self, folder: str, flags: str = "") -> str:
        return self.says.append(f'"{folder}"', MESSAGE, flags).decode()

    def flags(self) -> list[str]:
        """The flags of each message of the selected folder."""
        lines = self.ok("FETCH 1:* (FLAGS)")
        return [line.split("FLAGS (", 1)[1].split(")", 1)[0] for line in lines if "FETCH" in line]


MakePerson = Callable[..., Person]
