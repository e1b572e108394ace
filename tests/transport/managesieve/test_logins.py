"""AUTHENTICATE: SCRAM by a client of our own, the throttle, and logins that end."""

import base64

import psycopg
import pytest

from accounts import people
from accounts.models import User
from tests.factories import PASSWORD, MakeApp, MakeUser
from tests.scram_client import ScramClient
from tests.transport.managesieve.conftest import Account, Connect
from tests.transport.managesieve.dialogue import Dialogue


def quoted(octets: bytes) -> bytes:
    return b'"' + base64.b64encode(octets) + b'"'


def challenge(line: bytes) -> bytes:
    assert line.startswith(b'"'), line
    return base64.b64decode(line.strip().strip(b'"'))


def authenticate(dialogue: Dialogue, client: ScramClient, *, initial: bool) -> bytes:
    """The answer's last line."""
    if initial:
        dialogue.send(b'AUTHENTICATE "SCRAM-SHA-256" ' + quoted(client.first()) + b"\r\n")
    else:
        dialogue.send(b'Authenticate "scram-sha-256"\r\n')
        assert challenge(dialogue.response()) == b""
        dialogue.send(quoted(client.first()) + b"\r\n")
    server_first = dialogue.response()
    if not server_first.startswith(b'"'):
        return server_first
    final = base64.b64encode(client.final(challenge(server_first)))
    dialogue.send(b"{%d+}\r\n%b\r\n" % (len(final), final))
    server_final = dialogue.response()
    if not server_final.startswith(b'"'):
        return server_final
    assert client.is_server(challenge(server_final))
    dialogue.send(b'""\r\n')
    return dialogue.response()


@pytest.mark.parametrize("initial", [True, False])
def test_a_login_without_a_password_on_the_wire(
    connect: Connect, account: Account, initial: bool
) -> None:
    dialogue = connect(login=False)
    client = ScramClient(account.address, account.password)
    assert authenticate(dialogue, client, initial=initial).startswith(b"OK")
    assert dialogue.command(b"LISTSCRIPTS") == [b"OK\r\n"]


def test_a_wrong_password_and_nobody_hear_the_same(connect: Connect, account: Account) -> None:
    wrong = authenticate(connect(login=False), ScramClient(account.address, "x"), initial=True)
    nobody = authenticate(
        connect(login=False), ScramClient(f"no{account.address}", "x"), initial=True
    )
    assert wrong == nobody
    assert wrong.startswith(b'NO "')


def test_many_failures_are_throttled_as_everywhere(connect: Connect, account: Account) -> None:
    wrong = base64.b64encode(f"\0{account.address}\0wrong".encode())
    answers = []
    for _ in range(12):
        guesser = connect(login=False)
        answers.append(guesser.command(b'AUTHENTICATE "PLAIN" "%b"' % wrong)[-1])
        guesser.close()
    assert answers[0].startswith(b'NO "')
    assert answers[-1].startswith(b"NO (TRYLATER) ")


def test_an_app_password_and_an_app_log_in(
    connect: Connect, account: Account, make_app: MakeApp
) -> None:
    user = User.objects.get(mailbox=account.owner)
    secret = people.create_app_password(user, "sieve").secret
    client = connect(login=False)
    client.log_in(account.address, secret)
    app = make_app()
    other = connect(login=False)
    plain = base64.b64encode(f"\0{app.app.address}\0{app.secret}".encode())
    answer = other.command(b'AUTHENTICATE "PLAIN" "%b"' % plain)[-1]
    assert answer.startswith(b"NO ") is (getattr(app.app, "mailbox", None) is None)


def test_a_new_password_ends_open_sessions(
    connect: Connect, account: Account, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    client = connect()
    user = User.objects.get(mailbox=account.owner)
    user.set_password("another one")
    user.save()
    assert client.response().startswith(b"BYE ")
    assert client.response() == b""


def test_each_session_sees_its_own_scripts(
    connect: Connect, account: Account, make_user: MakeUser
) -> None:
    mine, other = connect(), connect(login=False)
    other.log_in(make_user().address, PASSWORD)
    assert mine.put("a", b"keep;") == b"OK\r\n"
    assert other.command(b"LISTSCRIPTS") == [b"OK\r\n"]
    assert mine.command(b"UNAUTHENTICATE")[-1].startswith(b"OK")
    mine.log_in(account.address, account.password)
    assert mine.command(b"LISTSCRIPTS") == [b'"a"\r\n', b"OK\r\n"]
