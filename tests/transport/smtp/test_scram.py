"""AUTH SCRAM-SHA-256 on the submission ports (RFC 4954, RFC 7677), by a client of our own and by GNU SASL's in msmtp."""

import base64
import shutil
import subprocess

import pytest

from tests.factories import PASSWORD
from tests.scram_client import ScramClient
from tests.transport.smtp.test_submission import encrypted, message_from, plain


def encoded(response: bytes) -> str:
    return base64.b64encode(response).decode()


def challenge(reply: str) -> bytes:
    assert reply.startswith("334 "), reply
    return base64.b64decode(reply[4:])


def test_a_submission_by_scram(server, make_user) -> None:
    user = make_user()
    for initial in (True, False):
        dialogue, client = encrypted(server), ScramClient(user.address, PASSWORD)
        assert " SCRAM-SHA-256 " in dialogue.say("EHLO x")
        if initial:
            reply = dialogue.say(f"AUTH SCRAM-SHA-256 {encoded(client.first())}")
        else:
            assert challenge(dialogue.say("AUTH SCRAM-SHA-256")) == b""
            reply = dialogue.say(encoded(client.first()))
        reply = dialogue.say(encoded(client.final(challenge(reply))))
        assert client.is_server(challenge(reply))
        assert dialogue.say("").startswith("235 2.7.0")
        assert dialogue.say(f"MAIL FROM:<{user.address}>").startswith("250")
        dialogue.close()


def test_a_wrong_password_and_nobody_hear_the_same(server, make_user) -> None:
    user = make_user()
    dialogue = encrypted(server)
    dialogue.say("EHLO x")
    for login in (user.address, "nobody" + user.address):
        client = ScramClient(login, "wrong")
        reply = dialogue.say(f"AUTH SCRAM-SHA-256 {encoded(client.first())}")
        reply = dialogue.say(encoded(client.final(challenge(reply))))
        assert reply == "535 5.7.8 the name or the password is wrong"


def test_odd_clients(server) -> None:
    dialogue = encrypted(server)
    dialogue.say("EHLO x")
    binding = encoded(b"p=tls-exporter,,n=x,r=y")
    assert dialogue.say(f"AUTH SCRAM-SHA-256 {binding}").startswith("501 5.5.2 channel binding")
    assert dialogue.say("AUTH SCRAM-SHA-256 =").startswith("501 5.5.2")
    challenge(dialogue.say(f"AUTH SCRAM-SHA-256 {encoded(b'n,,n=x,r=y')}"))
    assert dialogue.say("*").startswith("501")
    assert dialogue.say("AUTH SCRAM-SHA-256-PLUS").startswith("504 5.5.4")


@pytest.mark.skipif(not shutil.which("msmtp"), reason="needs Debian's package msmtp")
def test_msmtp_by_scram(server, make_user, stored, tmp_path) -> None:
    user = make_user()
    config = tmp_path / "rc"
    config.write_text(
        f"""account default
host localhost
port {server.ports["submissions"]}
tls on
tls_starttls off
tls_trust_file {server.ca_file}
auth scram-sha-256
user {user.address}
password {PASSWORD}
from {user.address}
"""
    )
    config.chmod(0o600)
    subprocess.run(
        ["msmtp", "-C", str(config), user.address],
        input=message_from(user.address),
        check=True,
        timeout=60,
    )
    assert len(stored(user)) == 1


def test_too_many_failures_are_454_with_the_time_to_wait(server, make_user, database) -> None:
    user = make_user()
    database.execute(
        "INSERT INTO accounts_loginfailure (source, account, is_known, failures, last_at)"
        " VALUES ('127.0.0.1', %s, false, 9, now())",
        [user.address],
    )
    dialogue = encrypted(server)
    dialogue.say("EHLO x")
    first = encoded(ScramClient(user.address, PASSWORD).first())
    for line in (f"AUTH PLAIN {plain(user.address, PASSWORD)}", f"AUTH SCRAM-SHA-256 {first}"):
        reply = dialogue.say(line)
        assert reply.startswith("454 4.7.0 Too many failed logins to this account; try again in 1")
        assert reply.endswith(" seconds")
