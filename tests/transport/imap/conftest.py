"""Fixtures of the IMAP tests: servers, users, connections."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.certificates import Certificate, make_certificate
from tests.factories import PASSWORD, MakeUser
from tests.transport.imap.dialogue import Dialogue
from tests.transport.imap.running import RunningServer


@dataclass(frozen=True, slots=True)
class Account:
    """A user of a test, with an empty mailbox."""

    address: str
    password: str
    owner: int


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder: Path = tmp_path_factory.mktemp("imap-certificates")
    return make_certificate(folder, "localhost", "127.0.0.1")


@pytest.fixture(scope="session")
def imap(django_db_setup: None, certificate: Certificate) -> Iterator[RunningServer]:
    """The server of most tests."""
    server = RunningServer(certificate)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def other_imap(django_db_setup: None, certificate: Certificate) -> Iterator[RunningServer]:
    """Another one on the same database, as another process would be."""
    server = RunningServer(certificate)
    yield server
    server.stop()


@pytest.fixture
def account(make_user: MakeUser) -> Account:
    user = make_user()
    return Account(user.address, PASSWORD, user.mailbox.pk)


Connect = Callable[..., Dialogue]


@pytest.fixture
def connect(imap: RunningServer, account: Account) -> Iterator[Connect]:
    """connect(server=imap, login=True) -> Dialogue"""
    opened: list[Dialogue] = []

    def make(server: RunningServer = imap, *, login: bool = True) -> Dialogue:
        dialogue = Dialogue(server)
        opened.append(dialogue)
        if login:
            dialogue.log_in(account.address, account.password)
        return dialogue

    yield make
    for dialogue in opened:
        dialogue.close()
