"""What a person does with mail is noted as a lesson in the same transaction; what anything else does is not."""

from typing import Any

import psycopg
import pytest

from accounts.mailstore.append import append_message
from accounts.mailstore.flags import Mode, store_flags
from accounts.mailstore.folders import create_folder
from accounts.mailstore.moving import copy_messages, move_messages
from accounts.mailstore.values import FolderId, MailboxId, Placement, Uid, new_message
from tests.factories import MakeUser

Database = psycopg.Connection[tuple[Any, ...]]
CONTENT = b"Subject: hello\r\n\r\nhello\r\n"


class Box:
    """A mailbox, and what a person does in it."""

    def __init__(self, db: Database, owner: MailboxId) -> None:
        self.db = db
        self.owner = owner
        self.folders = {
            use or name: FolderId(id_)
            for id_, name, use in db.execute(
                "SELECT id, name, special_use FROM mail_folder WHERE owner_id = %s", (owner,)
            )
        }

    def arrive(self, folder: str = "INBOX", *, cause: str = "smtp") -> Uid:
        placement = Placement(self.owner, self.folders[folder])
        [appended] = append_message(self.db, new_message(CONTENT), [placement], cause=cause)
        return appended.uid

    def move(self, source: str, uid: Uid, target: str, *, cause: str = "imap") -> Uid:
        ids = self.folders[source], self.folders[target]
        return move_messages(self.db, self.owner, ids[0], [uid], ids[1], cause=cause).target[0]

    def copy(self, source: str, uid: Uid, target: str) -> Uid:
        ids = self.folders[source], self.folders[target]
        return copy_messages(self.db, self.owner, ids[0], [uid], ids[1]).target[0]

    def flag(
        self, folder: str, uid: Uid, *flags: str, mode: Mode = "add", cause: str = "imap"
    ) -> None:
        store_flags(self.db, self.owner, self.folders[folder], [uid], mode, flags, cause=cause)

    def lessons(self) -> list[str]:
        rows = self.db.execute(
            "DELETE FROM routing_spam_lesson WHERE mailbox_id = %s RETURNING lesson, event_id",
            (self.owner,),
        )
        return [lesson for lesson, _ in sorted(rows.fetchall(), key=lambda row: row[1])]


@pytest.fixture
def box(database: Database, make_user: MakeUser) -> Box:
    owner = MailboxId(make_user().mailbox.pk)
    for name in ("Keep", "Junk/2024", "Trash/old"):
        below = name.partition("/")[0]
        row = database.execute(
            "SELECT name FROM mail_folder WHERE owner_id = %s AND special_use = %s",
            (owner, "\\" + below),
        ).fetchone()
        create_folder(database, owner, name.replace(below, row[0], 1) if row else name)
    return Box(database, owner)


def below(box: Box, use: str) -> str:
    [(name,)] = box.db.execute(
        "SELECT c.name FROM mail_folder c JOIN mail_folder f ON f.owner_id = c.owner_id"
        " AND f.special_use = %s AND c.name LIKE f.name || '/%%' WHERE c.owner_id = %s",
        (use, box.owner),
    ).fetchall()
    return str(name)


def test_what_is_moved_or_copied_into_spam_or_out_of_it_teaches(box: Box) -> None:
    uid = box.move("INBOX", box.arrive(), "\\Junk")
    assert box.lessons() == ["spam"]
    uid = box.move("\\Junk", uid, "Keep")
    assert box.lessons() == ["ham"]
    box.copy("Keep", uid, "\\Junk")
    assert box.lessons() == ["spam"]
    box.copy("\\Junk", box.arrive("\\Junk"), "INBOX")
    assert box.lessons() == ["ham"]


def test_other_moves_teach_nothing(box: Box) -> None:
    spam = box.arrive("\\Junk")
    spam = box.move("\\Junk", spam, below(box, "\\Junk"))
    spam = box.move(below(box, "\\Junk"), spam, "\\Junk")
    spam = box.move("\\Junk", spam, "\\Trash")
    spam = box.move("\\Trash", spam, "INBOX")
    box.move("INBOX", spam, below(box, "\\Trash"))
    box.move("\\Junk", box.arrive("\\Junk"), below(box, "\\Trash"))
    box.move("INBOX", box.arrive(), "Keep")
    assert box.lessons() == []


def test_an_append_into_spam_teaches_and_delivery_does_not(box: Box) -> None:
    box.arrive("\\Junk", cause="smtp")
    box.arrive("INBOX", cause="imap")
    assert box.lessons() == []
    box.arrive("\\Junk", cause="imap")
    assert box.lessons() == ["spam"]


@pytest.mark.parametrize(
    ("flags", "lessons"),
    [
        (["$Junk"], ["spam"]),
        (["\\Seen", "$JUNK"], ["spam"]),
        (["Junk"], ["spam"]),
        (["$NotJunk"], ["ham"]),
        (["NonJunk"], ["ham"]),
        (["$Junk", "$NotJunk"], ["ham"]),
        (["$NotJunk", "$Junk"], ["spam"]),
        (["\\Answered"], ["answered"]),
        (["$Junk", "\\Answered"], ["spam"]),
        (["\\Seen", "\\Flagged"], []),
        (["junkyard", "unanswered"], []),
    ],
)
@pytest.mark.parametrize("mode", ["add", "replace"])
def test_flags_that_a_person_sets_teach(
    box: Box, flags: list[str], lessons: list[str], mode: Mode
) -> None:
    uid = box.arrive()
    box.flag("INBOX", uid, *flags, mode=mode)
    assert box.lessons() == lessons
    box.flag("INBOX", uid, *flags)
    assert box.lessons() == [], "nothing has changed"


def test_other_changes_of_flags_teach_nothing(box: Box) -> None:
    uid = box.arrive()
    box.flag("INBOX", uid, "$Junk", cause="imapsieve")
    box.flag("INBOX", uid, "$Junk", mode="remove")
    box.flag("\\Junk", box.arrive("\\Junk"), "\\Answered")
    assert box.lessons() == []


def test_what_the_server_moves_teaches_nothing(box: Box) -> None:
    for cause in ("imapsieve", "refiled", "sieve"):
        box.move("INBOX", box.arrive(), "\\Junk", cause=cause)
    assert box.lessons() == []


def test_a_lesson_comes_to_nothing_with_its_move(box: Box) -> None:
    uid = box.arrive()
    with box.db.transaction(force_rollback=True):
        box.move("INBOX", uid, "\\Junk")
    assert box.lessons() == []
