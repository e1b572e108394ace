"""A load that keeps account: which messages were promised, which are in doubt, which were never taken.

Three kinds of client run until they are told to stop, and carry on through every fault: strangers on port 25, a user
who submits to another server, and a user who APPENDs. A stranger whose transaction broke off repeats the very same
one, or gives it up, in turn.
"""

import contextlib
import itertools
import smtplib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from imapclient.exceptions import IMAPClientError

from tests.end_to_end.mail import make_message
from tests.end_to_end.servers import PASSWORD, Server

REPEAT_SECONDS = 40.0
BROKEN = (OSError, smtplib.SMTPException, EOFError)


@dataclass(slots=True)
class Account:
    """Message-IDs by fate, of one kind of client. `doubtful`: the last reply never came."""

    promised: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(
        default_factory=dict
    )  # for good, which no message here deserves


class Load:
    """Runs from `start` to `stop`; afterwards its accounts are complete."""

    def __init__(self, server: Server, recipients: list[str], remote: str, owner: str):
        self.server, self.recipients, self.remote, self.owner = server, recipients, remote, owner
        self.inbound, self.submitted, self.appended = Account(), Account(), Account()
        self.errors: list[str] = []
        self._run = uuid.uuid4().hex[:8]
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=target, args=(number,), daemon=True)
            for number, target in enumerate(
                (self._send_in, self._send_in, self._send_in, self._submit, self._append)
            )
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(REPEAT_SECONDS + 60)
            assert not thread.is_alive()

    def wait_for_progress(self, inbound: int = 25, submitted: int = 3, appended: int = 8) -> None:
        """Return when that many more of each kind have been promised."""
        goals = [
            (account, len(account.promised) + more)
            for account, more in (
                (self.inbound, inbound),
                (self.submitted, submitted),
                (self.appended, appended),
            )
        ]
        with self._changed:
            done = self._changed.wait_for(
                lambda: all(len(account.promised) >= goal for account, goal in goals), 60
            )
        assert done, ([(len(a.promised), goal) for a, goal in goals], self.errors[-5:])

    def _numbers(self, kind: str, worker: int) -> Iterator[str]:
        for number in itertools.count():
            if self._stop.is_set():
                return
            yield f"{kind}-{self._run}-{worker}-{number}"

    def _note(self, account: Account, name: str, is_promised: bool) -> None:
        with self._changed:
            (account.promised if is_promised else account.doubtful).add(name)
            self._changed.notify_all()

    def _broken(self, error: Exception) -> None:
        self.errors.append(repr(error))
        time.sleep(0.05)  # a client that hammers a server which restarts proves nothing more

    # port 25

    def _send_in(self, worker: int) -> None:
        with Connection(self.server.smtp) as connection:
            for turn, name in enumerate(self._numbers("in", worker)):
                recipient = self.recipients[turn % len(self.recipients)]
                content = make_message("p@sender.test", recipient, name, body=f"{name}\r\n" * 200)
                is_patient = turn % 2 == 0
                deadline = time.monotonic() + REPEAT_SECONDS
                while True:
                    try:
                        connection.get().sendmail("p@sender.test", [recipient], content)
                    except BROKEN as error:
                        connection.drop()
                        self._broken(error)
                        if _is_permanent(error):
                            self.inbound.refused[name] = repr(error)
                            break
                        if is_patient and time.monotonic() < deadline:
                            continue
                        self._note(self.inbound, name, False)
                        break
                    self._note(self.inbound, name, True)
                    break

    # submission

    def _submit(self, worker: int) -> None:
        with Connection(lambda: self.server.submission(self.owner)) as connection:
            for name in self._numbers("out", worker):
                content = make_message(self.owner, self.remote, name)
                try:
                    connection.get().sendmail(self.owner, [self.remote], content)
                except BROKEN as error:
                    connection.drop()
                    self._broken(error)
                    if _is_permanent(error):
                        self.submitted.refused[name] = repr(error)
                    else:
                        self._note(self.submitted, name, False)
                else:
                    self._note(self.submitted, name, True)
                self._stop.wait(0.02)  # the mark here is what is lost, not how much is sent

    # IMAP

    def _append(self, worker: int) -> None:
        client = None
        for name in self._numbers("app", worker):
            try:
                if client is None:
                    client = self.server.imap(self.owner, PASSWORD)
                client.append("Archive", make_message(self.owner, self.owner, name))
            except (*BROKEN, IMAPClientError) as error:
                client = None
                self._broken(error)
                self._note(self.appended, name, False)
            else:
                self._note(self.appended, name, True)
        if client is not None:
            client.logout()


class Connection:
    """An SMTP connection that is made again after a fault."""

    def __init__(self, make: Callable[[], smtplib.SMTP]):
        self._make = make
        self._client: smtplib.SMTP | None = None

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            with contextlib.suppress(*BROKEN):
                self._client.quit()

    def get(self) -> smtplib.SMTP:
        """The connection; a new one when there is none."""
        if self._client is None:
            self._client = self._make()
        return self._client

    def drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def _is_permanent(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return any(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500
