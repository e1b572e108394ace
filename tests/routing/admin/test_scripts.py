"""The admin's pages of Sieve scripts: errors are shown at their places, what is saved is what ManageSieve sees."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.test import Client
from django.urls import reverse

from accounts.mailstore.values import MailboxId
from accounts.models import User
from routing.models import AddressList, GlobalScript, Script
from routing.scripts import storage
from tests.factories import MakeUser, unique

Database = psycopg.Connection[tuple[Any, ...]]

BROKEN = 'require "nonsense";\r\nkeep;\r\n  fileinto 5;\r\n'


@pytest.fixture
def client(make_user: MakeUser) -> Client:
    """An administrator's browser."""
    client = Client()
    client.force_login(make_user(is_admin=True))
    return client


@pytest.fixture
def user(make_user: MakeUser) -> User:
    return make_user()


@pytest.fixture
def mailbox(user: User) -> MailboxId:
    return MailboxId(user.mailbox.pk)


@pytest.fixture
def global_name(orm: None) -> Iterator[str]:
    """A name of global scripts, which are gone after the test."""
    name = unique("g")
    yield name
    GlobalScript.objects.filter(name=name).delete()


def page(model: str, kind: str = "changelist", *arguments: Any) -> str:
    return reverse(f"admin:routing_{model}_{kind}", args=arguments)


def text(response: Any) -> str:
    assert response.status_code == 200, response
    return str(response.content.decode())


def save(client: Client, url: str, **fields: Any) -> Any:
    return client.post(url, fields, follow=True)


def test_a_script_is_made_and_activated(
    client: Client, database: Database, user: User, mailbox: MailboxId
) -> None:
    content = 'require "fileinto";\r\nfileinto "Ä";\r\n'
    answer = save(
        client, page("script", "add"), mailbox=mailbox, name="mine", text=content, active="on"
    )
    assert "mine" in text(answer)
    assert storage.active_script(database, mailbox) == ("mine", content.encode())
    assert user.address in text(client.get(page("script")))


def test_every_error_is_shown_at_its_place_and_nothing_is_saved(
    client: Client, database: Database, mailbox: MailboxId
) -> None:
    answer = text(save(client, page("script", "add"), mailbox=mailbox, name="mine", text=BROKEN))
    assert "The script has 2 errors." in answer
    assert re.findall(r'data-line="(\d+)" data-column="(\d+)"', answer) == [("1", "9"), ("3", "3")]
    assert "fileinto 5;" in answer
    assert storage.list_scripts(database, mailbox) == []


def test_a_script_is_changed_renamed_and_switched_off(
    client: Client, database: Database, mailbox: MailboxId
) -> None:
    storage.put_script(database, mailbox, "a", b"keep;")
    storage.put_script(database, mailbox, "b", b"stop;")
    storage.activate_script(database, mailbox, "b")
    pk = Script.objects.get(mailbox_id=mailbox, name="a").pk
    url = page("script", "change", pk)
    assert "keep;" in text(client.get(url))
    save(client, url, name="c", text="discard;", active="on")
    assert storage.active_script(database, mailbox) == ("c", b"discard;")
    assert Script.objects.get(pk=pk).name == "c"
    save(client, url, name="c", text="discard;")
    assert storage.active_script(database, mailbox) is None
    answer = text(save(client, url, name="b", text="keep;"))
    assert "a script by that name already" in answer
    assert storage.script(database, mailbox, "b") == b"stop;"


def test_bounds_and_names_are_kept(
    client: Client, database: Database, mailbox: MailboxId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "SCRIPTS_MAXIMUM", 0)
    fields = {"mailbox": mailbox, "text": "keep;"}
    answer = text(save(client, page("script", "add"), name="a", **fields))
    assert "There are 0 scripts already" in answer
    assert "control character" in text(save(client, page("script", "add"), name="a\x81b", **fields))
    assert storage.list_scripts(database, mailbox) == []


def test_users_and_mailboxes_show_their_scripts(
    client: Client, database: Database, user: User, mailbox: MailboxId
) -> None:
    storage.put_script(database, mailbox, "<mine>", b"keep;")
    storage.activate_script(database, mailbox, "<mine>")
    for url in (
        reverse("admin:accounts_user_change", args=[user.pk]),
        reverse("admin:accounts_mailbox_change", args=[mailbox]),
    ):
        shown = text(client.get(url))
        assert "&lt;mine&gt;</a> (active)" in shown
        assert f"{page('script', 'add')}?mailbox={mailbox}" in shown
    assert "&lt;mine&gt;" in text(client.get(page("script")))


def test_global_scripts_are_checked_too(client: Client, global_name: str) -> None:
    url = page("globalscript", "add")
    fields = {"name": global_name, "place": "library", "is_enabled": "on"}
    assert "The script has 2 errors." in text(save(client, url, text=BROKEN, **fields))
    assert not GlobalScript.objects.filter(name=global_name).exists()
    assert global_name in text(save(client, url, text="keep;", **fields))
    script = GlobalScript.objects.get(name=global_name)
    assert bytes(script.content) == b"keep;"
    change = page("globalscript", "change", script.pk)
    assert "keep;" in text(client.get(change))
    save(client, change, text="stop;", name=global_name, place="library")
    script.refresh_from_db()
    assert (bytes(script.content), script.is_enabled) == (b"stop;", False)
    assert global_name in text(client.get(page("globalscript")))


def test_an_address_list_is_kept(client: Client, user: User, mailbox: MailboxId) -> None:
    url = page("addresslist", "add")
    members = "ann@example.org\r\nexample.net"
    assert "friends" in text(save(client, url, mailbox=mailbox, name="friends", members=members))
    (kept,) = AddressList.objects.filter(mailbox_id=mailbox)
    assert kept.members.split() == ["ann@example.org", "example.net"]
    assert "already exists" in text(
        save(client, url, mailbox=mailbox, name="friends", members=members)
    )
    assert user.address in text(client.get(page("addresslist")))
