"""Users teach by moving mail: the lessons are learned once, in the order in which they were given, by any worker."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.conf import settings

from accounts.mailstore.append import append_message
from accounts.mailstore.flags import store_flags
from accounts.mailstore.folders import open_folder
from accounts.mailstore.moving import move_messages
from accounts.mailstore.values import FolderId, MailboxId, Placement, Uid, new_message
from routing.spam_models import lessons
from routing.spam_models.lessons import learn_some
from routing.spam_models.models_of import Models, models_of
from transport.database_threads import connection_string
from transport.spam_training import learn_lessons
from transport.tasks import learn_spam

Database = psycopg.Connection[tuple[Any, ...]]


class Learner:
    """A user who teaches."""

    def __init__(self, db: Database, user: Any) -> None:
        self.db = db
        self.owner = MailboxId(user.mailbox.pk)

    def id(self, folder: str) -> FolderId:
        if folder.startswith("\\"):
            [row] = self.db.execute(
                "SELECT id FROM mail_folder WHERE owner_id = %s AND special_use = %s",
                (self.owner, folder),
            ).fetchall()
            return FolderId(row[0])
        return open_folder(self.db, self.owner, folder).id

    def receive(self, text: str, folder: str = "INBOX") -> Uid:
        content = f"Subject: {text}\r\n\r\n{text}\r\n".encode()
        [appended] = append_message(
            self.db, new_message(content), [Placement(self.owner, self.id(folder))], cause="smtp"
        )
        return appended.uid

    def move(self, source: str, uid: Uid, target: str) -> Uid:
        return move_messages(self.db, self.owner, self.id(source), [uid], self.id(target)).target[0]

    def flag(self, uid: Uid, *flags: str) -> None:
        store_flags(self.db, self.owner, self.id("INBOX"), [uid], "add", flags)

    @property
    def models(self) -> Models:
        found = models_of(self.db, self.owner)
        assert found is not None
        return found

    def totals(self, *, of_domain: bool = False) -> tuple[int, int]:
        model = self.models.domain if of_domain else self.models.personal
        [row] = self.db.execute(
            "SELECT spam, ham FROM routing_spam_model WHERE id = %s", (model,)
        ).fetchall()
        return row[0], row[1]

    def waiting(self) -> int:
        [row] = self.db.execute(
            "SELECT COALESCE(sum(cardinality(message_ids)), 0) FROM routing_spam_lesson"
            " WHERE mailbox_id = %s",
            (self.owner,),
        ).fetchall()
        return int(row[0])


@pytest.fixture
def learner(database: Database, make_user: Callable[..., Any]) -> Learner:
    return Learner(database, make_user())


def test_a_move_into_spam_and_back_is_learned(database: Database, learner: Learner) -> None:
    uid = learner.move("INBOX", learner.receive("cheap"), "\\Junk")
    assert learn_lessons(database) >= 1
    assert learner.totals() == learner.totals(of_domain=True) == (1, 0)
    assert learner.waiting() == 0
    learner.move("\\Junk", uid, "INBOX")
    learn_lessons(database)
    assert learner.totals() == learner.totals(of_domain=True) == (0, 1)


def test_what_was_deleted_meanwhile_still_teaches(database: Database, learner: Learner) -> None:
    uid = learner.move("INBOX", learner.receive("cheap"), "\\Junk")
    learner.move("\\Junk", uid, "\\Trash")
    database.execute("DELETE FROM mail_entry WHERE owner_id = %s", (learner.owner,))
    learn_lessons(database)
    assert learner.totals() == (1, 0)


def test_an_answer_is_ham_unless_the_user_said_otherwise(
    database: Database, learner: Learner
) -> None:
    learner.flag(learner.receive("a letter"), "\\Answered")
    spam = learner.receive("cheap")
    learner.flag(spam, "$Junk")
    learner.flag(spam, "\\Answered")
    learn_lessons(database)
    assert learner.totals() == (1, 1)


def test_the_same_mail_counts_once(database: Database, learner: Learner) -> None:
    for _ in range(3):
        learner.move("INBOX", learner.receive("cheap"), "\\Junk")
        learn_lessons(database)
    assert learner.totals() == (1, 0)


def test_a_great_move_is_learned_in_parts(
    database: Database, learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "MESSAGES_A_TURN", 3)
    uids = [learner.receive(f"cheap {number}") for number in range(7)]
    move_messages(database, learner.owner, learner.id("INBOX"), uids, learner.id("\\Junk"))
    learner.flag(learner.receive("letter"), "$NotJunk")
    left = []
    while learn_some(database, learner.owner) is not None:
        left.append(learner.waiting())
    assert left == [5, 2, 0]
    assert learner.totals() == (7, 1)


def test_a_message_that_cannot_be_read_holds_up_no_other(
    database: Database, learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def keys(content: bytes) -> list[int]:
        if b"broken" in content:
            raise ValueError("a fault of ours")
        return [1]

    monkeypatch.setattr(lessons, "keys_of_content", keys)
    for text in ("broken", "cheap"):
        learner.move("INBOX", learner.receive(text), "\\Junk")
    learn_lessons(database)
    assert (learner.totals(), learner.waiting()) == ((1, 0), 0)


def test_a_crash_before_the_commit_loses_no_lesson(
    database: Database, learner: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner.move("INBOX", learner.receive("cheap"), "\\Junk")

    class Crash(BaseException):
        pass

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(lessons, "_take_off", crash)
        with pytest.raises(Crash):
            learn_some(database, learner.owner)
    assert (learner.totals(), learner.waiting()) == ((0, 0), 1)
    learn_lessons(database)
    assert (learner.totals(), learner.waiting()) == ((1, 0), 0)


def test_a_mailbox_that_fails_holds_up_no_other(
    database: Database, make_user: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = (Learner(database, make_user()) for _ in range(2))
    for learner in (broken, sound):
        learner.move("INBOX", learner.receive("cheap"), "\\Junk")
    read = lessons.read_content

    def fail(db: Database, owner: MailboxId, message: Any) -> Any:
        if owner == broken.owner:
            raise OSError("the storage is away")
        return read(db, owner, message)

    with monkeypatch.context() as patch:
        patch.setattr(lessons, "read_content", fail)
        learn_lessons(database)
    assert (sound.totals(), broken.totals(), broken.waiting()) == ((1, 0), (0, 0), 1)
    learn_lessons(database)
    assert broken.totals() == (1, 0)


def test_other_filters_hear_once_of_what_was_learned(database: Database, learner: Learner) -> None:
    heard: list[tuple[bytes, bool]] = []

    def pass_on(content: bytes, is_spam: bool) -> None:
        if learner.totals() == (0, 0):
            raise AssertionError("before the commit")
        heard.append((content.partition(b"\r\n")[0], is_spam))
        raise RuntimeError("the filter is gone")

    for text in ("cheap", "pills"):
        learner.move("INBOX", learner.receive(text), "\\Junk")
    learner.flag(learner.receive("letter"), "$NotJunk")
    for _ in range(2):
        learn_lessons(database, pass_on)
    assert sorted(heard) == [
        (b"Subject: cheap", True),
        (b"Subject: letter", False),
        (b"Subject: pills", True),
    ]


def test_many_workers_learn_each_lesson_once_and_the_last_word_stands(
    database: Database, make_user: Callable[..., Any]
) -> None:
    one = Learner(database, make_user())
    other = Learner(database, make_user())
    done = threading.Event()

    def work() -> None:
        with psycopg.connect(connection_string(), autocommit=True) as db:
            while not done.is_set():
                learn_lessons(db)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for learner in (one, other):
            for number in range(5):
                uid = learner.receive(f"cheap {number}")
                uid = learner.move("INBOX", uid, "\\Junk")
                uid = learner.move("\\Junk", uid, "INBOX")
                if number % 2:
                    learner.move("INBOX", uid, "\\Junk")
    finally:
        done.set()
        for thread in threads:
            thread.join(60)
    learn_lessons(database)
    for learner in (one, other):
        assert learner.waiting() == 0
        assert learner.totals() == learner.totals(of_domain=True) == (2, 3)


def test_the_worker_is_told_by_beat(learner: Learner) -> None:
    assert learn_spam.name in [one["task"] for one in settings.CELERY_BEAT_SCHEDULE.values()]
    learner.move("INBOX", learner.receive("cheap"), "\\Junk")
    learn_spam()
    assert learner.totals() == (1, 0)
