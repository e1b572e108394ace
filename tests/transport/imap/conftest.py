"""Fixtures of the IMAP tests: servers, users, connections."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from accounts.mailstore.consistency import check_mailbox
from accounts.mailstore.values import MailboxId
from accounts.models import Domain
from tests.certificates import Certificate, make_certificate
from tests.factories import PASSWORD, MakeDomain, MakeUser
from tests.transport.imap.dialogue import Dialogue
from tests.transport.imap.running import RunningServer
from tests.transport.imap.sharing_dialogues import MakePerson, Person


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
def account(domain: Domain, make_user: MakeUser) -> Account:
    user = make_user(domain=domain)
    return Account(user.address, PASSWORD, user.mailbox.pk)


@pytest.fixture
def colleague(domain: Domain, make_user: MakeUser) -> Account:
    """Somebody else of the same domain."""
    user = make_user(domain=domain)
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


@pytest.fixture
def domain(make_domain: MakeDomain) -> Domain:
    return make_domain()


@pytest.fixture
def make_person(
    imap: RunningServer,
    domain: Domain,
    make_user: MakeUser,
    database: psycopg.Connection[tuple[object, ...]],
) -> Iterator[MakePerson]:
    """make_person(domain=domain, server=imap): a new user; `of=person` is another connection of that one."""
    made: list[Person] = []

    def make(
        *, domain: Domain = domain, server: RunningServer = imap, of: Person | None = None
    ) -> Person:
        says = Dialogue(server)
        if of is None:
            user = make_user(domain=domain)
            person = Person(user.address, MailboxId(user.mailbox.pk), says)
        else:
            person = Person(of.address, of.mailbox, says)
        says.log_in(person.address, PASSWORD)
        made.append(person)
        return person

    yield make
    for person in made:
        person.says.close()
    problems = [p for m in {p.mailbox for p in made} for p in check_mailbox(database, m)]
    assert problems == []


@pytest.fixture
def ann(make_person: MakePerson) -> Person:
    """She shares."""
    return make_person()


@pytest.fixture
def bob(make_person: MakePerson) -> Person:
    """He reads."""
    return make_person()
