"""The commands for scripts: what they make, and the one line and exit code 1 with which they refuse."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from accounts import people
from accounts.authentication import verify_password
from accounts.entries import Login
from accounts.models import Domain, Group, User
from accounts.secrets import decrypt
from tests.factories import MakeAlias, MakeDomain, MakeGroup, MakeUser, unique
from transport.models import Relay

Database = psycopg.Connection[tuple[Any, ...]]
MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
COMMANDS = (
    "add_domain",
    "add_user",
    "add_alias",
    "add_group",
    "add_app",
    "set_catch_all",
    "set_relay",
)


def run(*arguments: str, password: str = "", monkeypatch: pytest.MonkeyPatch | None = None) -> str:
    out = StringIO()
    if monkeypatch is not None:
        monkeypatch.setattr("sys.stdin", StringIO(password))
    call_command(*arguments, stdout=out)
    return out.getvalue()


def refusal(*arguments: str) -> str:
    with pytest.raises(CommandError) as refused:
        call_command(*arguments)
    assert refused.value.returncode == 1
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_add_domain(orm: None) -> None:
    name = f"{unique('d')}.example"
    assert name in run("add_domain", name.upper())
    assert not Domain.objects.get(name=name).mail_enabled
    assert "exists already" in refusal("add_domain", name)
    other = f"{unique('d')}.example"
    run("add_domain", other, "--enable-mail", "--default")
    made = Domain.objects.get(name=other)
    assert made.mail_enabled
    assert made.is_default
    assert "no domain name" in refusal("add_domain", "exa mple")


def test_add_user(
    database: Database, make_domain: MakeDomain, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = make_domain()
    run(
        "add_user",
        f"ann@{domain}",
        "--password-stdin",
        password="päss word\n",
        monkeypatch=monkeypatch,
    )
    login = verify_password(database, f"ann@{domain}", "päss word", "127.0.0.1")
    assert isinstance(login, Login)
    folders = database.execute(
        "SELECT name, special_use FROM mail_folder WHERE owner_id = %s ORDER BY name",
        (login.mailbox_id,),
    ).fetchall()
    assert folders == [
        ("Archive", "\\Archive"),
        ("Drafts", "\\Drafts"),
        ("INBOX", ""),
        ("Sent", "\\Sent"),
        ("Spam", "\\Junk"),
        ("Trash", "\\Trash"),
    ]
    run(
        "add_user",
        f"boss@{domain}",
        "--password-stdin",
        "--admin",
        password="secret",
        monkeypatch=monkeypatch,
    )
    assert User.objects.get(domain=domain, username="boss").is_staff
    monkeypatch.setattr("sys.stdin", StringIO("secret"))
    assert "is taken" in refusal("add_user", f"Ann@{domain}", "--password-stdin")
    monkeypatch.setattr("sys.stdin", StringIO("secret"))
    assert "no domain" in refusal("add_user", f"ann@{unique('d')}.example", "--password-stdin")
    monkeypatch.setattr("sys.stdin", StringIO(""))
    assert "No password" in refusal("add_user", f"bob@{domain}", "--password-stdin")
    assert not User.objects.filter(domain=domain, username="bob").exists()


def test_add_alias(make_user: MakeUser, make_domain: MakeDomain) -> None:
    user, elsewhere = make_user(), make_domain()
    run("add_alias", f"sales@{elsewhere}", user.address)
    assert people.find_user(f"sales@{elsewhere}") == user
    assert "an alias of the user" in refusal("add_alias", f"sales@{elsewhere}", user.address)
    assert "no user" in refusal("add_alias", f"more@{elsewhere}", f"nobody@{elsewhere}")


def test_add_group(make_user: MakeUser, make_alias: MakeAlias, make_group: MakeGroup) -> None:
    user, inner = make_user(), make_group()
    address = f"team@{user.domain}"
    run("add_group", address, str(make_alias(user)), inner.address, "guest@elsewhere.example")
    group = Group.objects.get(domain=user.domain, name="team")
    assert {str(member) for member in group.members.all()} == {
        user.address,
        inner.address,
        "guest@elsewhere.example",
    }
    assert "is taken" in refusal("add_group", address, user.address)
    assert "already" in refusal("add_group", f"twice@{user.domain}", user.address, user.address)
    assert "has no @" in refusal("add_group", f"bad@{user.domain}", "guest")
    assert not Group.objects.filter(domain=user.domain, name__in=["twice", "bad"]).exists()


def test_add_app_prints_credentials_that_work(database: Database, make_domain: MakeDomain) -> None:
    domain = make_domain(mail_enabled=False)
    lines = dict(line.split(": ") for line in run("add_app", "shop", domain.name).splitlines())
    assert lines["username"] == f"shop.app@{domain}"
    assert isinstance(
        verify_password(database, lines["username"], lines["password"], "127.0.0.1"), Login
    )
    assert "exists" in refusal("add_app", "shop", domain.name)
    run("add_app", "orders", domain.name, "--address", "orders", "--display-name", "Orders")
    assert "is taken" in refusal("add_app", "other", domain.name, "--address", "orders")
    assert "no domain" in refusal("add_app", "shop", "nowhere.invalid")


def test_set_catch_all(make_user: MakeUser) -> None:
    user = make_user()
    domain = user.domain
    run("set_catch_all", domain.name, user.address)
    assert list(domain.catch_all.all()) == [user.mailbox]
    assert "no user" in refusal("set_catch_all", domain.name, f"nobody@{domain}")
    assert list(domain.catch_all.all()) == [user.mailbox]
    run("set_catch_all", domain.name)
    assert not domain.catch_all.exists()


def test_set_relay(
    make_domain: MakeDomain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    domain = make_domain()
    run("set_relay", "--domain", domain.name, "relay.example:2525")
    relay = Relay.objects.get(domain=domain)
    assert (relay.host, relay.port, relay.tls) == ("relay.example", 2525, Relay.Tls.OPPORTUNISTIC)
    authority = tmp_path / "ca.pem"
    authority.write_text("")
    run(
        *(
            "set_relay",
            "--domain",
            domain.name,
            "[2001:db8::1]",
            "--user",
            "me",
            "--password-stdin",
        ),
        *("--ca-file", str(authority)),
        password="secret\n",
        monkeypatch=monkeypatch,
    )
    relay.refresh_from_db()
    assert (relay.host, relay.port, relay.tls) == ("2001:db8::1", 587, Relay.Tls.AUTOMATIC)
    assert "secret" not in relay.password_encrypted
    assert decrypt(relay.password_encrypted) == "secret"
    where = ("set_relay", "--domain", domain.name)
    assert "no file" in refusal(*where, "relay.example", "--ca-file", "/nowhere/ca.pem")
    assert "port number" in refusal(*where, "relay.example:99999")
    assert "port number" in refusal(*where, "relay.example:x")
    assert "go together" in refusal(*where, "relay.example", "--user", "me")
    assert "no domain" in refusal("set_relay", "--domain", "nowhere.invalid", "relay.example")


def manage(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, str(MANAGE), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ,
        input="",
    )


def test_a_refusal_is_one_line_on_stderr_and_exit_code_1(make_domain: MakeDomain) -> None:
    refused = manage("add_domain", make_domain().name)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1
    assert "exists already" in refused.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_by_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        call_command(command, "--help")
    assert left.value.code == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert f"manage.py {command}" in text
