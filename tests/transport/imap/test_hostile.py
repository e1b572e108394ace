"""Odd and hostile input: a clear BAD or BYE, bounded memory, and no other session feels it."""

import psycopg
import pytest

from tests.certificates import Certificate
from tests.transport.imap.conftest import Account, Connect
from tests.transport.imap.dialogue import Dialogue
from tests.transport.imap.running import RunningServer
from transport.connection_limits import ConnectionLimits
from transport.imap.serving import BAD_MAXIMUM_BEFORE_LOGIN


def test_http_is_hung_up_on(connect: Connect) -> None:
    browser = connect(login=False)
    browser.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert browser.response() == b""


def test_binary_noise_ends_in_bye(connect: Connect) -> None:
    noise = connect(login=False)
    noise.send(b"\x16\x03\x01\x00\r\n" * 40)
    answers = [noise.response() for _ in range(BAD_MAXIMUM_BEFORE_LOGIN + 1)]
    assert all(answer.startswith(b"* BAD ") for answer in answers[:-1])
    assert answers[-1].startswith(b"* BYE ")


def test_a_synchronising_literal_over_the_limit_is_refused_at_once(
    certificate: Certificate, account: Account, django_db_setup: None
) -> None:
    server = RunningServer(certificate, max_message_size=100_000)
    try:
        client = Dialogue(server)
        client.log_in(account.address, account.password)
        client.send(b"a APPEND INBOX {100001}\r\n")
        assert client.response().startswith(b"a NO [TOOBIG] ")
        client.send(b"b APPEND INBOX {100001+}\r\n" + b"x" * 100_001 + b"\r\n")
        assert client.response().startswith(b"b NO [TOOBIG] ")
        content = b"Subject: x\r\n\r\n" + b"y" * 90_000
        assert b" OK [APPENDUID " in client.append("INBOX", content)
        client.command(b"SELECT INBOX")
        assert content in client.command(b"FETCH 1 BODY.PEEK[]")[0]
        client.close()
    finally:
        server.stop()


def test_a_literal_before_the_login_is_small(connect: Connect) -> None:
    stranger = connect(login=False)
    stranger.send(b"a LOGIN {999999999999}\r\n")
    assert stranger.response().startswith(b"a NO [TOOBIG] ")
    stranger.send(b"b APPEND x {100000}\r\n")
    assert stranger.response().startswith(b"b NO [TOOBIG] ")


def test_a_line_that_is_too_long(connect: Connect) -> None:
    client = connect()
    client.send(b"a NOOP " + b"x" * 70_000 + b"\r\nb NOOP\r\n")
    assert client.response().startswith(b"a BAD ")
    assert client.until(b"b") == [b"b OK Done\r\n"]


def test_a_line_without_end_ends_in_bye(connect: Connect) -> None:
    client = connect()
    client.send(b"a NOOP " + b"x" * 1_200_000)
    assert client.response().startswith(b"* BYE ")


def test_five_failed_logins_end_the_session(connect: Connect, account: Account) -> None:
    guesser = connect(login=False)
    answers = [guesser.command(b"LOGIN nobody%d x" % number)[-1] for number in range(5)]
    assert all(b" NO [AUTHENTICATIONFAILED] " in answer for answer in answers)
    assert guesser.response().startswith(b"* BYE ")


def test_a_session_without_login_ends(certificate: Certificate, django_db_setup: None) -> None:
    server = RunningServer(certificate, login_seconds=0.2)
    try:
        stranger = Dialogue(server)
        stranger.send(b"a NOOP\r\nb NO")
        assert stranger.until(b"a") == [b"a OK Done\r\n"]
        assert stranger.response().startswith(b"* BYE ")
        assert stranger.response() == b""
    finally:
        server.stop()


def test_a_client_that_is_silent_within_authenticate_ends(
    certificate: Certificate, django_db_setup: None
) -> None:
    server = RunningServer(certificate, login_seconds=0.2)
    try:
        stranger = Dialogue(server)
        stranger.send(b"a AUTHENTICATE PLAIN\r\n")
        assert stranger.response() == b"+ \r\n"
        assert stranger.until(b"a")[-1].startswith(b"a NO ")
        assert stranger.response().startswith(b"* BYE ")
    finally:
        server.stop()


def send_for_ever(dialogue: Dialogue, block: bytes) -> None:
    for _ in range(400):
        dialogue.send(block)


@pytest.mark.parametrize("is_idling", [False, True])
def test_a_client_that_reads_nothing_is_not_read_from(
    certificate: Certificate, account: Account, django_db_setup: None, is_idling: bool
) -> None:
    server = RunningServer(certificate)
    try:
        deaf = Dialogue(server)
        line = b"x" * 64 + b" LOGIN {99999999}\r\n"
        if is_idling:
            deaf.log_in(account.address, account.password)
            deaf.command(b"SELECT INBOX")
            deaf.send(b"i IDLE\r\n")
            assert deaf.response() == b"+ idling\r\n"
            line = b"x" * 64 + b"\r\n"
        deaf.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            send_for_ever(deaf, line * 1000)
        (session,) = server.server.sessions
        assert session.connection._transport is not None
        assert session.connection._transport.get_write_buffer_size() < 1_000_000
    finally:
        server.stop()


def test_strangers_of_one_address_are_few(
    certificate: Certificate,
    account: Account,
    django_db_setup: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("transport.connection_limits.LOCAL_MAXIMUM", 0)
    server = RunningServer(certificate, strangers=ConnectionLimits(per_address=2))
    try:
        known, stranger = Dialogue(server), Dialogue(server)
        refused = Dialogue(server)
        assert refused.greeting.startswith(b"* BYE ")
        assert refused.response() == b""
        known.log_in(account.address, account.password)
        admitted = Dialogue(server)
        assert admitted.greeting.startswith(b"* OK ")
        stranger.command(b"LOGOUT")
        assert stranger.response() == b""
        another = Dialogue(server)
        assert another.greeting.startswith(b"* OK ")
        assert Dialogue(server).greeting.startswith(b"* BYE ")
    finally:
        server.stop()


def test_pipelined_commands_are_answered_in_order(connect: Connect) -> None:
    client = connect()
    client.send(b"".join(b"p%d NOOP\r\n" % number for number in range(300)))
    assert [client.response() for _ in range(300)] == [b"p%d OK Done\r\n" % n for n in range(300)]


def test_one_byte_at_a_time(connect: Connect) -> None:
    client = connect()
    for byte in b"a STATUS {5}\r\n":
        client.send(bytes([byte]))
    assert client.response() == b"+ OK\r\n"
    for byte in b"INBOX (MESSAGES)\r\n":
        client.send(bytes([byte]))
    assert client.until(b"a")[0] == b"* STATUS INBOX (MESSAGES 0)\r\n"


def test_disabling_a_user_ends_open_sessions(
    connect: Connect, account: Account, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    client = connect()
    database.execute(
        "UPDATE accounts_user SET is_active = false WHERE id ="
        " (SELECT user_id FROM accounts_mailbox WHERE id = %s)",
        [account.owner],
    )
    assert client.response().startswith(b"* BYE ")
    assert client.response() == b""


def test_our_own_failure_is_no_and_never_a_traceback(
    connect: Connect, account: Account, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    client = connect()
    with database.transaction():
        database.execute("SELECT FROM accounts_mailbox WHERE id = %s FOR UPDATE", [account.owner])
        answer = client.command(b"CREATE blocked")[-1]
    assert b" NO [UNAVAILABLE] " in answer
    assert b" OK " in client.command(b"CREATE blocked")[-1]
