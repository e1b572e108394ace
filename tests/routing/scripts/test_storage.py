"""Users' scripts: names, one active a mailbox, bounds, and what two sessions do at once."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from accounts.mailstore.values import MailboxId
from routing.scripts import storage
from routing.scripts.names import ScriptNameInvalid, script_name
from routing.scripts.storage import ListedScript
from routing.sieve.limits import SCRIPT_SIZE_MAXIMUM
from transport.database_threads import connection_string

Connection = psycopg.Connection[Any]


def names(database: Connection, mailbox: MailboxId) -> list[str]:
    return [one.name for one in storage.list_scripts(database, mailbox)]


def test_scripts_are_put_listed_and_read(database: Connection, mailbox: MailboxId) -> None:
    storage.put_script(database, mailbox, "b", b"keep;")
    storage.put_script(database, mailbox, "a", b"discard;\r\n")
    storage.put_script(database, mailbox, "b", b"stop;\xc3\xa9")
    assert storage.list_scripts(database, mailbox) == [
        ListedScript("a", False, 10),
        ListedScript("b", False, 7),
    ]
    assert storage.script(database, mailbox, "b") == b"stop;\xc3\xa9"
    assert storage.script(database, mailbox, "c") is None


def test_one_script_at_most_is_active(database: Connection, mailbox: MailboxId) -> None:
    assert storage.active_script(database, mailbox) is None
    for name in ("a", "b"):
        storage.put_script(database, mailbox, name, name.encode())
        storage.activate_script(database, mailbox, name)
    assert storage.active_script(database, mailbox) == ("b", b"b")
    storage.put_script(database, mailbox, "b", b"other")
    assert storage.active_script(database, mailbox) == ("b", b"other")
    storage.activate_script(database, mailbox, "")
    assert storage.active_script(database, mailbox) is None
    storage.activate_script(database, mailbox, "")
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.execute("UPDATE routing_script SET is_active = true")


def test_activating_what_is_not_there_changes_nothing(
    database: Connection, mailbox: MailboxId
) -> None:
    storage.put_script(database, mailbox, "a", b"keep;")
    storage.activate_script(database, mailbox, "a")
    with pytest.raises(storage.NoSuchScript):
        storage.activate_script(database, mailbox, "gone")
    assert storage.active_script(database, mailbox) == ("a", b"keep;")


def test_the_active_script_is_not_deleted(database: Connection, mailbox: MailboxId) -> None:
    storage.put_script(database, mailbox, "a", b"keep;")
    storage.activate_script(database, mailbox, "a")
    with pytest.raises(storage.ScriptIsActive):
        storage.delete_script(database, mailbox, "a")
    storage.activate_script(database, mailbox, "")
    storage.delete_script(database, mailbox, "a")
    with pytest.raises(storage.NoSuchScript):
        storage.delete_script(database, mailbox, "a")


def test_a_renamed_script_stays_active(database: Connection, mailbox: MailboxId) -> None:
    storage.put_script(database, mailbox, "a", b"keep;")
    storage.put_script(database, mailbox, "b", b"stop;")
    storage.activate_script(database, mailbox, "a")
    with pytest.raises(storage.ScriptExists):
        storage.rename_script(database, mailbox, "a", "b")
    with pytest.raises(storage.NoSuchScript):
        storage.rename_script(database, mailbox, "c", "d")
    storage.rename_script(database, mailbox, "a", "c")
    assert storage.active_script(database, mailbox) == ("c", b"keep;")
    assert names(database, mailbox) == ["b", "c"]


def test_another_mailbox_sees_nothing_of_it(
    database: Connection, mailbox: MailboxId, make_user: Callable[..., Any]
) -> None:
    other = MailboxId(make_user().mailbox.id)
    storage.put_script(database, mailbox, "a", b"keep;")
    storage.put_script(database, other, "a", b"stop;")
    storage.activate_script(database, mailbox, "a")
    assert storage.active_script(database, other) is None
    storage.delete_script(database, other, "a")
    assert names(database, mailbox) == ["a"]


def test_the_number_of_scripts_is_bounded(
    database: Connection, mailbox: MailboxId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "SCRIPTS_MAXIMUM", 2)
    storage.put_script(database, mailbox, "a", b"keep;")
    storage.put_script(database, mailbox, "b", b"keep;")
    with pytest.raises(storage.TooManyScripts):
        storage.put_script(database, mailbox, "c", b"keep;")
    storage.put_script(database, mailbox, "b", b"stop;")


def test_sizes_are_bounded(
    database: Connection, mailbox: MailboxId, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(storage.ScriptTooBig):
        storage.check_space(database, mailbox, "a", SCRIPT_SIZE_MAXIMUM + 1)
    monkeypatch.setattr(storage, "TOTAL_MAXIMUM", 10)
    storage.put_script(database, mailbox, "a", b"123456")
    with pytest.raises(storage.ScriptTooBig):
        storage.put_script(database, mailbox, "b", b"12345")
    storage.put_script(database, mailbox, "a", b"1234567890")


def test_two_sessions_do_not_pass_the_bound_together(
    database: Connection, mailbox: MailboxId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "SCRIPTS_MAXIMUM", 5)
    refused: list[str] = []

    def put(number: int) -> None:
        with psycopg.connect(connection_string(), autocommit=True) as db:
            for round_ in range(3):
                name = f"{number}-{round_}"
                try:
                    storage.put_script(db, mailbox, name, b"keep;")
                    storage.activate_script(db, mailbox, name)
                except storage.TooManyScripts:
                    refused.append(name)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listed = storage.list_scripts(database, mailbox)
    assert len(listed) == 5
    assert len(refused) == 7
    assert sum(one.is_active for one in listed) == 1


def test_scripts_go_with_their_mailbox(
    database: Connection, mailbox: MailboxId, make_user: Callable[..., Any]
) -> None:
    from accounts import removal
    from routing.models import AddressList, Script

    user = make_user()
    owner = MailboxId(user.mailbox.pk)
    storage.put_script(database, owner, "a", b"keep;")
    storage.put_script(database, mailbox, "a", b"keep;")
    AddressList.objects.create(mailbox_id=owner, name="friends")
    removal.delete_user(user, keep_mail=True)
    assert storage.script(database, owner, "a") == b"keep;"
    removal.delete_mailbox(user.mailbox)
    assert not Script.objects.filter(mailbox_id=owner).exists()
    assert storage.script(database, mailbox, "a") == b"keep;"


@pytest.mark.parametrize("name", ["a", "Ferien/2026 é", "日" * 128, "\U0001f334" * 128, '"\\{3+}'])
def test_names_are_unicode(name: str) -> None:
    assert script_name(name) == name


def test_names_are_composed() -> None:
    assert script_name("e\u0301") == "\u00e9"


@pytest.mark.parametrize(
    "name", ["", "a" * 129, "a\nb", "\x00", "a\x7f", "\x85", "a\u2028", "\u2029"]
)
def test_names_without_sense_are_refused(name: str) -> None:
    with pytest.raises(ScriptNameInvalid):
        script_name(name)
