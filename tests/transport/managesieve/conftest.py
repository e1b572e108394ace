"""Fixtures of the ManageSieve tests: servers, users, connections."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from accounts.mailstore.values import MailboxId
from tests.certificates import Certificate, make_certificate
from tests.factories import PASSWORD, MakeUser
from tests.transport.managesieve.dialogue import Dialogue
from tests.transport.managesieve.running import RunningServer


@dataclass(frozen=True, slots=True)
class Account:
    """A user of a test, without scripts."""

    address: str
    password: str
    owner: MailboxId


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("managesieve-certificates")
    return make_certificate(folder, "localhost", "127.0.0.1")


@pytest.fixture(scope="session")
def managesieve(django_db_setup: None, certificate: Certificate) -> Iterator[RunningServer]:
    """The server of most tests."""
    server = RunningServer(certificate)
    yield server
    server.stop()


@pytest.fixture
def account(make_user: MakeUser) -> Account:
    user = make_user()
    return Account(user.address, PASSWORD, MailboxId(user.mailbox.pk))


Connect = Callable[..., Dialogue]


@pytest.fixture
def connect(managesieve: RunningServer, account: Account) -> Iterator[Connect]:
    """connect(server=managesieve, way="implicit", login=True) -> Dialogue"""
    opened: list[Dialogue] = []

    def make(
        server: RunningServer = managesieve, way: str = "implicit", *, login: bool = True
    ) -> Dialogue:
        dialogue = Dialogue(server, way)
        opened.append(dialogue)
        if login and way != "clear":
            dialogue.log_in(account.address, account.password)
        return dialogue

    yield make
    for dialogue in opened:
        dialogue.close()
