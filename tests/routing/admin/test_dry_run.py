"""The admin's page that tries a script: pasted or stored, with its trace beside the lines; nothing is done."""

import html
import re
from typing import Any

import psycopg
import pytest
from django.test import Client
from django.urls import reverse

from accounts.mailstore.folders import list_folders, open_folder
from accounts.mailstore.values import MailboxId, new_message
from accounts.models import User
from accounts.people import raw_connection
from routing.scripts.storage import activate_script, put_script
from tests.accounts.mailstore_messages import deliver
from tests.factories import MakeUser

Database = psycopg.Connection[tuple[Any, ...]]

SCRIPT = """require "fileinto";
if header :contains "subject" "django" {
    fileinto "Lists";
} else {
    discard;
}
"""
MESSAGE = (
    "From: ann@example.org\r\nTo: bob@example.com\r\nSubject: About Django <b>\r\n\r\nhello\r\n"
)


@pytest.fixture
def client(make_user: MakeUser) -> Client:
    """An administrator's browser."""
    client = Client()
    client.force_login(make_user(is_admin=True))
    return client


@pytest.fixture
def user(make_user: MakeUser) -> User:
    return make_user()


def owner(user: User) -> MailboxId:
    return MailboxId(user.mailbox.pk)


def page() -> str:
    return reverse("admin:routing_script_try")


def answer(client: Client, **fields: Any) -> str:
    response = client.post(page(), fields)
    assert response.status_code == 200, response
    return str(response.content.decode())


def seen(text: str) -> str:
    """What a reader sees, a word after the other."""
    text = re.sub(r"(?s)<(script|style)\b.*?</\1>", "", text)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def deliver_mail(database: Database, user: User, subject: str) -> int:
    content = f"From: ann@example.org\r\nSubject: {subject}\r\n\r\nx\r\n".encode()
    return deliver(database, owner(user), message=new_message(content)).uid


def test_a_pasted_script_and_message(client: Client) -> None:
    shown = answer(client, text=SCRIPT, content=MESSAGE)
    words = seen(shown)
    assert "From <ann@example.org> to <bob@example.com>" in words
    assert '<li class="action">file into &quot;Lists&quot;</li>' in shown
    steps = re.findall(r'try-number">(\d+)</div>|class="try-step (\w+)"', shown)
    assert [number or role for number, role in steps] == [
        "1", "2", "true", "true", "3", "action", "4", "note", "5", "6",
    ]  # fmt: skip
    assert '"About Django <b>" fits "django"' in words
    assert "<b>" not in shown
    assert "\ufffd" not in answer(client, text=SCRIPT.replace("\n", "\r\n"), content=MESSAGE)


def test_errors_stand_at_their_lines(client: Client) -> None:
    shown = answer(client, text="keep;\nfilinto 'x';\nredirect 5;\n", content=MESSAGE)
    assert "The script does not compile" in shown
    assert "What would be done" not in shown
    broken = re.findall(r'try-broken">\s*<div class="try-number">(\d+)<', shown)
    assert broken == ["2", "3"]


def test_an_error_as_it_runs_stands_at_its_line(client: Client) -> None:
    script = "".join(f'redirect "a{number}@example.org";\n' for number in range(5))
    words = seen(answer(client, text=script, content=MESSAGE))
    assert "the script failed in line 5, column 1" in words
    assert "implicit keep: into INBOX" in words


def test_a_stored_script_and_message_of_a_mailbox(
    client: Client, database: Database, user: User
) -> None:
    put_script(raw_connection(), owner(user), "mine", SCRIPT.encode())
    put_script(raw_connection(), owner(user), "other", b"keep;")
    activate_script(raw_connection(), owner(user), "mine")
    deliver_mail(database, user, "first")
    uid = deliver_mail(database, user, "Django news")
    before = list_folders(database, owner(user))
    offered = answer(client, mailbox=user.address, refresh="1")
    assert "What would be done" not in offered
    assert re.findall(r'<option value="mine">\s*mine \(active\)', offered)
    assert re.search(r"Django news · ann@example.org · [\d-]+ [\d:]+ \(UID 2\)", seen(offered))
    chosen = {"mailbox": user.address, "script": "mine", "folder": "INBOX"}
    words = seen(answer(client, **chosen, message=str(uid)))
    assert f"to <{user.address}>" in words
    assert 'file into "Lists"' in words
    assert "discard: it is not kept" in seen(answer(client, **chosen, uid="1"))
    assert list_folders(database, owner(user)) == before
    assert "There is no such message" in answer(client, **chosen, uid="99")


def test_the_envelope_can_be_given(client: Client) -> None:
    script = 'require "envelope"; if envelope "to" "x@example.org" { discard; }'
    fields = {"text": script, "content": MESSAGE, "envelope_from": "<>"}
    words = seen(answer(client, **fields, envelope_to="x@example.org"))
    assert "From <> to <x@example.org>" in words
    assert "discard: it is not kept" in words


def test_a_mailbox_that_changes_takes_its_choices_along(client: Client, user: User) -> None:
    words = seen(answer(client, mailbox=user.address, script="gone", message="77", text="keep;"))
    assert "keep: into INBOX" in words
    assert "There is no user" in answer(client, mailbox=f"nobody@{user.domain.name}")


def test_tests_ask_about_the_mailbox(client: Client, user: User) -> None:
    script = 'require ["fileinto", "mailbox"]; if mailboxexists "Archive" { discard; }'
    assert "discard: it is not kept" in seen(
        answer(client, mailbox=user.address, text=script, content=MESSAGE)
    )
    assert "implicit keep" in seen(answer(client, text=script, content=MESSAGE))


def test_what_another_script_did_stands_beside_its_own_lines(client: Client, user: User) -> None:
    included = b'require "fileinto";\r\n\r\nfileinto "Lists";\r\n'
    put_script(raw_connection(), owner(user), "lists", included)
    script = 'require "include";\ninclude "lists";\n'
    shown = answer(client, mailbox=user.address, text=script, content=MESSAGE)
    words = seen(shown)
    assert words.index("A script that it includes") < words.index('-> file into "Lists"')
    put_script(raw_connection(), owner(user), "lists", b"".join(
        b'redirect "a%d@example.org";\r\n' % number for number in range(5)
    ))  # fmt: skip
    shown = answer(client, mailbox=user.address, text=script, content=MESSAGE)
    assert "failed in line 5, column 1 of a script that it includes" in seen(shown)
    assert "try-broken" not in shown.split("</style>")[1]


def test_the_page_is_bounded(client: Client) -> None:
    shown = answer(client, text="keep;\n" * 5000, content=MESSAGE)
    assert "and 2000 lines more" in shown
    assert len(shown) < 4_000_000
    message = "Subject: x\r\n\r\n" + "y" * 1_000_001
    assert "at most 1000000 characters" in answer(client, text="keep;", content=message)


def test_only_administrators_and_only_from_the_page(make_user: MakeUser, client: Client) -> None:
    stranger = Client()
    assert stranger.get(page()).status_code == 302
    stranger.force_login(make_user())
    assert stranger.post(page(), {"text": "keep;"}).status_code == 302
    assert client.get(page()).status_code == 200
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(make_user(is_admin=True))
    assert careful.post(page(), {"text": "keep;"}).status_code == 403
    assert "no-store" in client.get(page()).headers["Cache-Control"]


@pytest.mark.parametrize(
    "fields",
    [
        {"mailbox": "a\0b"},
        {"mailbox": "no address", "folder": "\0", "message": "x", "uid": "-1"},
        {"mailbox": "@" * 100_000},
        {"text": "keep\0;", "content": "\0", "envelope_from": "\r\n\x1b", "envelope_to": "@@"},
        {"text": "\ud7ff" * 1000, "content": "From: " + "(" * 50_000},
        {"uid": "1" * 5000},
    ],
)
def test_what_nobody_types_is_no_error_of_ours(client: Client, fields: dict[str, str]) -> None:
    answer(client, **fields)
    assert client.get(page(), fields).status_code == 200


def test_it_is_in_the_sidebar(client: Client) -> None:
    assert page() in str(client.get(reverse("admin:index")).content)


def test_a_message_of_a_client_is_no_folder_of_another(
    client: Client, database: Database, user: User, make_user: MakeUser
) -> None:
    deliver_mail(database, user, "mine")
    assert open_folder(database, owner(user), "INBOX").message_count == 1
    other = make_user()
    assert "There is no such message" in answer(client, mailbox=other.address, uid="1")
