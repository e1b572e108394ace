"""AUTHENTICATE SCRAM-SHA-256 over a real socket, by a client of our own and by Cyrus SASL's in mbsync."""

import base64
from pathlib import Path

import pytest

from accounts import scram
from accounts.models import User
from tests.certificates import Certificate
from tests.scram_client import ScramClient
from tests.transport.imap.conftest import Account, Connect
from tests.transport.imap.dialogue import Dialogue
from tests.transport.imap.running import RunningServer
from tests.transport.imap.test_clients import program, run


def challenge(line: bytes) -> bytes:
    assert line.startswith(b"+ "), line
    return base64.b64decode(line[2:])


def encoded(response: bytes) -> bytes:
    return base64.b64encode(response) + b"\r\n"


def authenticate(dialogue: Dialogue, client: ScramClient, *, initial: bool = True) -> bytes:
    """The tagged response."""
    if initial:
        dialogue.send(b"s AUTHENTICATE SCRAM-SHA-256 " + encoded(client.first()))
    else:
        dialogue.send(b"s AUTHENTICATE scram-sha-256\r\n")
        assert challenge(dialogue.response()) == b""
        dialogue.send(encoded(client.first()))
    server_first = dialogue.response()
    if not server_first.startswith(b"+ "):
        return server_first
    dialogue.send(encoded(client.final(challenge(server_first))))
    server_final = dialogue.response()
    if not server_final.startswith(b"+ "):
        return server_final
    assert client.is_server(challenge(server_final))
    dialogue.send(b"\r\n")
    return dialogue.response()


@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize("flag", ["n", "y"])
def test_a_login_without_a_password_on_the_wire(
    connect: Connect, account: Account, initial: bool, flag: str
) -> None:
    dialogue = connect(login=False)
    assert b" AUTH=SCRAM-SHA-256 " in dialogue.greeting
    client = ScramClient(account.address, account.password, flag=flag)
    assert authenticate(dialogue, client, initial=initial).startswith(b"s OK [CAPABILITY ")
    assert b" OK " in dialogue.command(b"SELECT INBOX")[-1]


def test_a_wrong_password_nobody_and_an_old_login_hear_the_same(
    connect: Connect, account: Account
) -> None:
    dialogue = connect(login=False)
    wrong = authenticate(dialogue, ScramClient(account.address, "wrong"))
    assert wrong.startswith(b"s NO [AUTHENTICATIONFAILED] ")
    assert authenticate(dialogue, ScramClient("nobody" + account.address, "wrong")) == wrong
    username, _, domain = account.address.partition("@")
    User.objects.filter(username=username, domain__name=domain).update(scram_verifier=b"")
    assert authenticate(dialogue, ScramClient(account.address, account.password)) == wrong
    # what falls back to PLAIN gets in on the same connection, and SCRAM works from then on
    dialogue.log_in(account.address, account.password)
    again = connect(login=False)
    client = ScramClient(account.address, account.password)
    assert authenticate(again, client).startswith(b"s OK ")


def test_odd_clients(connect: Connect, account: Account) -> None:
    dialogue = connect(login=False)
    for first in (b"p=tls-exporter,,n=x,r=y", b"", b"n,a=root,n=x,r=y", b"\0\xff" * 50):
        line = encoded(first) if first else b"=\r\n"
        answer = dialogue.command(b"AUTHENTICATE SCRAM-SHA-256 " + line.rstrip())[-1]
        assert b" BAD " in answer
    dialogue.send(b"c AUTHENTICATE SCRAM-SHA-256 " + encoded(b"n,,n=x,r=y"))
    assert dialogue.response().startswith(b"+ ")
    dialogue.send(b"*\r\n")
    assert dialogue.response().startswith(b"c BAD ")
    assert b" NO [CANNOT] " in dialogue.command(b"AUTHENTICATE SCRAM-SHA-256-PLUS")[-1]
    dialogue.log_in(account.address, account.password)


@pytest.fixture
def as_many_iterations_as_in_earnest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scram, "ITERATIONS", 65_536)


@pytest.mark.usefixtures("as_many_iterations_as_in_earnest")
def test_mbsync_by_scram(
    imap: RunningServer,
    account: Account,
    certificate: Certificate,
    connect: Connect,
    tmp_path: Path,
) -> None:
    (tmp_path / "rc").write_text(
        f"""IMAPAccount a
Host localhost
Port {imap.port}
User {account.address}
Pass "{account.password}"
SSLType IMAPS
AuthMechs SCRAM-SHA-256
CertificateFile {certificate.ca_file}

IMAPStore far
Account a

MaildirStore near
Path {tmp_path}/mail/
Inbox {tmp_path}/mail/INBOX

Channel c
Far :far:
Near :near:
Create Near
SyncState *
"""
    )
    (tmp_path / "mail").mkdir()
    assert b" OK " in connect().append("INBOX", b"Subject: hello\r\n\r\nbody\r\n")
    said = run(program("mbsync", "isync"), "-Dn", "-c", str(tmp_path / "rc"), "c")
    assert "AUTHENTICATE SCRAM-SHA-256" in said
    assert len(list((tmp_path / "mail" / "INBOX").glob("*/*,*"))) == 1
