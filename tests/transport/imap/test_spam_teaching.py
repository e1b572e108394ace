"""A user teaches over a socket with a real client, and like mail is judged otherwise."""

from typing import Any

import imapclient
import psycopg
import pytest

from accounts.mailstore.append import append_message
from accounts.mailstore.values import MailboxId, Placement, new_message
from accounts.models import Domain
from routing.spam_models import remembered
from routing.spam_models.learning import learn
from routing.spam_models.scoring import score_content
from tests.transport.imap.conftest import Account
from tests.transport.imap.running import RunningServer
from transport.tasks import learn_spam

Database = psycopg.Connection[Any]


def message(number: int, kind: str) -> bytes:
    words = {
        "pills": "cheap pills winner discount",
        "minutes": "minutes agenda draft meeting",
        "casino": "roulette jackpot chips dealer croupier blackjack",
    }[kind]
    return (
        f"From: w{number}@{kind}.example\r\nSubject: {words}\r\n\r\n{words} {number}\r\n"
    ).encode()


class Teacher:
    """A user with a client, whose domain has learned enough."""

    def __init__(self, db: Database, client: imapclient.IMAPClient, account: Account) -> None:
        self.db = db
        self.client = client
        self.owner = MailboxId(account.owner)
        client.select_folder("INBOX")

    def receive(self, kind: str) -> list[int]:
        """Three messages of a kind, as delivery files them."""
        return [
            append_message(
                self.db, new_message(message(n, kind)), [Placement(self.owner)], cause="smtp"
            )[0].uid
            for n in range(3)
        ]

    def points(self, kind: str) -> float:
        found = score_content(self.db, message(99, kind), [self.owner])[self.owner]
        assert found is not None
        return found.points


@pytest.fixture
def teacher(
    database: Database,
    imap: RunningServer,
    account: Account,
    domain: Domain,
    monkeypatch: pytest.MonkeyPatch,
) -> Teacher:
    monkeypatch.setattr(remembered, "MODELS_SECONDS", 0)
    kinds = ((True, "pills"), (False, "minutes"))
    list(learn(database, domain.pk, [(message(n, k), s) for s, k in kinds for n in range(60)]))
    client = imapclient.IMAPClient("localhost", imap.port, ssl_context=imap.tls)
    client.login(account.address, account.password)
    return Teacher(database, client, account)


def test_a_move_into_spam_and_back_changes_what_is_thought_of_like_mail(teacher: Teacher) -> None:
    before = teacher.points("casino")
    teacher.client.move(teacher.receive("casino"), "Spam")
    learn_spam()
    spam = teacher.points("casino")
    assert before < 3 < spam
    teacher.client.select_folder("Spam")
    teacher.client.move(teacher.client.search(), "INBOX")
    learn_spam()
    assert teacher.points("casino") < before


def test_copies_appends_and_keywords_teach(teacher: Teacher) -> None:
    before = teacher.points("casino")
    one, two, _ = teacher.receive("casino")
    teacher.client.copy([one], "Spam")
    teacher.client.append("Spam", message(50, "casino"))
    teacher.client.add_flags([two], ["$Junk"])
    learn_spam()
    assert teacher.points("casino") > max(before, 3)
    teacher.client.add_flags([one, two], ["$NotJunk"])
    learn_spam()
    assert teacher.points("casino") < 3


def test_what_is_answered_is_ham(teacher: Teacher) -> None:
    before = teacher.points("casino")
    teacher.client.add_flags(teacher.receive("casino"), [imapclient.ANSWERED])
    learn_spam()
    assert teacher.points("casino") < before


def test_deleting_and_emptying_spam_teach_nothing(teacher: Teacher) -> None:
    before = teacher.points("casino")
    first, *others = teacher.receive("casino")
    teacher.client.delete_messages([first])
    teacher.client.expunge()
    teacher.client.move(others, "Archive")
    row = [Placement(teacher.owner, special_use="\\Junk")]
    append_message(teacher.db, new_message(message(70, "casino")), row, cause="smtp")
    teacher.client.select_folder("Spam")
    teacher.client.move(teacher.client.search(), "Trash")
    learn_spam()
    assert teacher.points("casino") == before
