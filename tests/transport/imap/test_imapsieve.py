"""Scripts that follow IMAP commands (RFC 6785), on the events of the real store."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.conf import settings

from accounts.mailstore.annotations import set_annotations
from accounts.mailstore.append import append_message
from accounts.mailstore.consistency import check_mailbox
from accounts.mailstore.flags import store_flags
from accounts.mailstore.folders import create_folder, open_folder
from accounts.mailstore.moving import copy_messages, move_messages
from accounts.mailstore.stored_messages import read_message
from accounts.mailstore.values import Placement, Uid, new_message
from routing.filtering.imap_events import ENTRY
from routing.scripts.storage import put_script
from tests.factories import unique
from transport.database_threads import connection_string
from transport.imap_scripts import Followed, follow_events
from transport.tasks import follow_imap_events

Database = psycopg.Connection[Any]
CONTENT = b"From: a@s.example\r\nSubject: Hello\r\n\r\nText.\r\n"


class Scene:
    """A user with a folder whose events a script follows."""

    def __init__(self, database: Database, user: Any) -> None:
        self.database = database
        self.user = user
        self.owner = user.mailbox.id
        for name in ("Work", "Copies"):
            create_folder(database, self.owner, name)
        self.append("before")  # what happened before the script was named runs none

    def script(self, text: str, folder: str = "Work") -> None:
        put_script(self.database, self.owner, "imap", text.encode())
        set_annotations(self.database, self.owner, folder, {ENTRY: b"imap"})

    def append(self, subject: str, folder: str = "Work", flags: tuple[str, ...] = ()) -> Uid:
        content = CONTENT.replace(b"Hello", subject.encode()) + unique("x").encode() + b"\r\n"
        placement = Placement(self.owner, self.id(folder), flags=flags)
        (appended,) = append_message(self.database, new_message(content), [placement], cause="imap")
        return appended.uid

    def id(self, folder: str) -> Any:
        return open_folder(self.database, self.owner, folder).id

    def follow(self) -> Followed:
        return follow_events(self.database)

    def messages(self, folder: str) -> list[tuple[str, int, list[str]]]:
        """(subject, flags, keywords) of each."""
        assert check_mailbox(self.database, self.owner) == []
        rows = self.database.execute(
            "SELECT m.base_subject, e.flags, f.keywords FROM mail_entry e"
            " JOIN mail_message m ON (m.owner_id, m.id) = (e.owner_id, e.message_id)"
            " JOIN mail_folder f ON (f.owner_id, f.id) = (e.owner_id, e.folder_id)"
            " WHERE f.owner_id = %s AND f.name = %s ORDER BY e.uid",
            (self.owner, folder),
        )
        return rows.fetchall()

    def subjects(self, folder: str) -> list[str]:
        return [row[0] for row in self.messages(folder)]


@pytest.fixture
def scene(database: Database, make_user: Callable[..., Any]) -> Scene:
    return Scene(database, make_user())


def test_what_is_appended_runs_the_script_once(scene: Scene) -> None:
    scene.script('require ["fileinto", "copy"]; fileinto :copy "Copies";')
    scene.append("one")
    scene.append("elsewhere", "INBOX")
    followed = scene.follow()
    assert scene.id("Copies") in followed.folders
    assert scene.subjects("Copies") == ["one"]
    assert [flags for _, flags, _ in scene.messages("Work")] == [0, 0]
    assert scene.id("Copies") not in scene.follow().folders
    assert scene.subjects("Copies") == ["one"]


def test_the_copy_is_the_message_as_it_is_stored(scene: Scene, database: Database) -> None:
    scene.script('require ["fileinto", "copy"]; fileinto :copy "Copies";')
    scene.append("one")
    scene.follow()
    rows = database.execute(
        "SELECT blob_id, prefix FROM mail_message WHERE owner_id = %s AND base_subject = 'one'",
        (scene.owner,),
    ).fetchall()
    assert len(rows) == 2
    assert rows[0] == rows[1]


def test_copied_and_moved_messages_run_it(scene: Scene, database: Database) -> None:
    scene.script('require ["fileinto", "copy"]; fileinto :copy "Copies";')
    first = scene.append("one", "INBOX")
    second = scene.append("two", "INBOX")
    copy_messages(database, scene.owner, scene.id("INBOX"), [first], scene.id("Work"))
    move_messages(database, scene.owner, scene.id("INBOX"), [second], scene.id("Work"))
    scene.follow()
    assert scene.subjects("Copies") == ["one", "two"]


def test_what_is_not_kept_is_marked_deleted(scene: Scene) -> None:
    scene.script('if header :contains "subject" "bad" { discard; }')
    scene.append("bad")
    scene.append("good")
    followed = scene.follow()
    assert scene.id("Work") in followed.folders
    deleted = 8
    assert [flags & deleted for _, flags, _ in scene.messages("Work")] == [0, deleted, 0]


def test_flags_that_the_script_sets_are_set_and_run_no_script(scene: Scene) -> None:
    scene.script('require "imap4flags"; addflag "\\\\Flagged"; addflag "done";')
    uid = scene.append("one", flags=("\\Seen",))
    scene.follow()
    (_, before, _), (_, flags, keywords) = scene.messages("Work")
    assert before == 0
    assert flags & 0b11111 == 0b00101  # \Seen and \Flagged
    assert "done" in keywords
    store_flags(scene.database, scene.owner, scene.id("Work"), [uid], "replace", (), cause="imap")
    scene.follow()
    assert scene.messages("Work")[1][1] & 0b11111 == 0b00100
    assert scene.id("Work") not in scene.follow().folders


def test_a_redirect_leaves_in_the_name_of_the_owner(scene: Scene, database: Database) -> None:
    to = f"bob@{unique('out')}.example"
    scene.script(f'require "copy"; redirect :copy "{to}";')
    scene.append("one")
    assert scene.follow().next_hops
    rows = database.execute(
        "SELECT m.reverse_path, m.prefix FROM transport_queuedrecipient r"
        " JOIN transport_queuedmessage m ON m.id = r.message_id WHERE r.forward_path = %s",
        (to,),
    ).fetchall()
    ((reverse_path, prefix),) = rows
    assert reverse_path == scene.user.address
    assert b"DKIM-Signature" in bytes(prefix)
    assert b"X-Sieve-Redirected-From" in bytes(prefix)


def test_what_is_appended_is_redirected_within_the_owners_limits(
    scene: Scene, database: Database
) -> None:
    scene.user.messages_an_hour = 2
    scene.user.save()
    to = f"bob@{unique('out')}.example"
    scene.script(f'redirect "{to}";')
    for _ in range(4):
        scene.append("one")
    scene.follow()
    (sent,) = database.execute(
        "SELECT count(*) FROM transport_queuedrecipient WHERE forward_path = %s", (to,)
    ).fetchone() or (0,)
    assert sent == 2
    deleted = 8
    flags = [flags & deleted for _, flags, _ in scene.messages("Work")]
    assert flags == [0, deleted, deleted, 0, 0]  # what was not sent stays


@pytest.mark.parametrize("field", ["From", "Sender"])
def test_what_is_appended_is_not_sent_in_the_name_of_another_user(
    scene: Scene, database: Database, make_user: Callable[..., Any], field: str
) -> None:
    boss, to = make_user(domain=scene.user.domain), f"bob@{unique('out')}.example"
    scene.script(f'require "copy"; redirect :copy "{to}";')
    scene.append(f"one\r\n{field}: {boss.address}")
    assert not scene.follow().next_hops
    assert database.execute(
        "SELECT count(*) FROM transport_queuedrecipient WHERE forward_path = %s", (to,)
    ).fetchone() == (0,)
    assert [row[1] & 0b11111 for row in scene.messages("Work")] == [0, 0]


def test_a_message_that_the_database_does_not_take_holds_up_no_other(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.script('require ["fileinto", "copy"]; fileinto :copy "Copies";')
    scene.append("one")
    scene.append("two")
    faults = [psycopg.DataError("a value")]

    def read(*arguments: Any) -> Any:
        if faults:
            raise faults.pop()
        return read_message(*arguments)

    monkeypatch.setattr("transport.imap_scripts.read_message", read)
    scene.follow()
    assert scene.subjects("Copies") == ["two"]


def test_mail_that_is_delivered_runs_none(scene: Scene, database: Database) -> None:
    scene.script('require ["fileinto", "copy"]; fileinto :copy "Copies";')
    append_message(
        database,
        new_message(CONTENT),
        [Placement(scene.owner, scene.id("Work"))],
        cause="smtp",
    )
    scene.follow()
    assert scene.subjects("Copies") == []


def test_an_empty_entry_of_the_folder_runs_none(scene: Scene, database: Database) -> None:
    scene.script('require ["fileinto", "copy"]; fileinto :copy "Copies";')
    set_annotations(database, scene.owner, "Work", {ENTRY: b""})
    scene.append("one")
    scene.follow()
    assert scene.subjects("Copies") == []


def test_a_broken_script_leaves_the_message_and_tells(scene: Scene) -> None:
    scene.script("nonsense;")
    scene.append("one")
    scene.append("two")
    scene.follow()
    assert [flags for _, flags, _ in scene.messages("Work")] == [0, 0, 0]
    assert len(scene.messages("INBOX")) == 1  # the notice


def test_two_workers_at_once_do_it_once(scene: Scene, database: Database) -> None:
    scene.script('require ["fileinto", "copy"]; fileinto :copy "Copies";')
    for number in range(10):
        scene.append(f"n{number}")
    barrier = threading.Barrier(3)

    def work() -> None:
        with psycopg.connect(connection_string(), autocommit=True) as db:
            barrier.wait(20)
            for _ in range(3):
                follow_events(db)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(scene.subjects("Copies")) == [f"n{number}" for number in range(10)]


def test_without_an_entry_nothing_waits(database: Database, make_user: Callable[..., Any]) -> None:
    user = make_user()
    Scene(database, user).append("one")
    rows = database.execute(
        "SELECT FROM routing_imap_cursor WHERE mailbox_id = %s", (user.mailbox.id,)
    )
    assert rows.fetchall() == []


def test_the_worker_is_told_by_beat(scene: Scene) -> None:
    tasks = [entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()]
    assert follow_imap_events.name in tasks
    scene.script('require ["fileinto", "copy"]; fileinto :copy "Copies";')
    scene.append("one")
    follow_imap_events()
    assert scene.subjects("Copies") == ["one"]
