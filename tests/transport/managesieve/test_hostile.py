"""Odd and hostile input: a clear NO or BYE, bounded memory and time, and no other session feels it."""

import base64
import contextlib
import threading
import time

import psycopg
import pytest

from routing.scripts import storage
from routing.sieve.limits import SCRIPT_SIZE_MAXIMUM
from tests.certificates import Certificate
from tests.transport.managesieve.conftest import Account, Connect
from tests.transport.managesieve.dialogue import Dialogue
from tests.transport.managesieve.running import RunningServer
from transport.connection_limits import ConnectionLimits
from transport.imap.incoming_memory import IncomingMemory
from transport.imap.open_logins import OpenLogins
from transport.managesieve.handlers.login import FAILURES_MAXIMUM
from transport.managesieve.serving import BAD_MAXIMUM


def test_http_is_hung_up_on(connect: Connect) -> None:
    browser = connect(login=False)
    browser.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert browser.response() == b""


def test_binary_noise_ends_in_bye(connect: Connect) -> None:
    noise = connect(login=False)
    noise.send(b"\x16\x03\x01\x00\xff\r\n" * 40)
    answers = [noise.response() for _ in range(BAD_MAXIMUM + 1)]
    assert all(answer.startswith(b"NO ") for answer in answers[:-1])
    assert answers[-1].startswith(b"BYE ")


def test_a_script_that_is_too_big_is_read_and_refused(connect: Connect) -> None:
    client = connect()
    for size in (SCRIPT_SIZE_MAXIMUM + 1, SCRIPT_SIZE_MAXIMUM + 100_000):
        content = b"#" * size
        assert client.put("big", content).startswith(b"NO (QUOTA/MAXSIZE) ")
        answer = client.command(b"CHECKSCRIPT {%d+}\r\n%b" % (size, content))[-1]
        assert answer.startswith(b"NO (QUOTA/MAXSIZE) ")
    assert client.put("small", b"keep;") == b"OK\r\n"
    content = b"#" * (SCRIPT_SIZE_MAXIMUM - 7) + b"\nkeep;"
    assert client.put("large", content) == b"OK\r\n"
    assert content in client.command(b'GETSCRIPT "large"')[0]


def test_a_literal_that_is_far_too_big_ends_in_bye(connect: Connect) -> None:
    client = connect()
    client.send(b'PUTSCRIPT "a" {999999999999+}\r\n')
    assert client.response().startswith(b"BYE ")
    assert client.response() == b""


@pytest.mark.parametrize(
    "octets", [b"NOOP {20000+}\r\n", b"NOOP " + b"x" * 20_000, b'AUTHENTICATE "PLAIN" {99999+}\r\n']
)
def test_before_the_login_little_is_taken(connect: Connect, octets: bytes) -> None:
    stranger = connect(login=False)
    stranger.send(octets)
    assert stranger.response().startswith(b"BYE ")


def test_scripts_without_room_are_dropped_and_may_come_again(
    certificate: Certificate, account: Account, django_db_setup: None
) -> None:
    server = RunningServer(certificate, incoming=IncomingMemory(0, 400_000, 300_000))
    try:
        client, other = Dialogue(server, "implicit"), Dialogue(server, "implicit")
        for dialogue in (client, other):
            dialogue.log_in(account.address, account.password)
        content = b"#" * 500_000
        answer = client.put("a", content)
        assert answer.startswith(b"NO (TRYLATER) ")
        assert other.put("a", b"keep;") == b"OK\r\n"
        assert client.put("b", b"#" * 200_000) == b"OK\r\n"
    finally:
        server.stop()


def test_failed_logins_end_the_session(connect: Connect, account: Account) -> None:
    guesser = connect(login=False)
    for number in range(FAILURES_MAXIMUM):
        plain = base64.b64encode(f"\0nobody{number}@{account.address}\0x".encode())
        assert guesser.command(b'AUTHENTICATE "PLAIN" "%b"' % plain)[-1].startswith(b"NO ")
    assert guesser.response().startswith(b"BYE ")
    assert guesser.response() == b""


def test_an_alias_is_no_login(connect: Connect, account: Account, make_alias: object) -> None:
    from accounts.models import Mailbox

    assert callable(make_alias)
    alias = make_alias(Mailbox.objects.get(pk=account.owner).user)
    stranger = connect(login=False)
    plain = base64.b64encode(f"\0{alias}\0{account.password}".encode())
    answer = stranger.command(b'AUTHENTICATE "PLAIN" "%b"' % plain)[-1]
    assert answer.startswith(b"NO ")


def test_a_session_without_login_ends(certificate: Certificate, django_db_setup: None) -> None:
    server = RunningServer(certificate, login_seconds=0.2)
    try:
        stranger = Dialogue(server, "implicit")
        stranger.send(b"NOOP\r\nNO")
        assert stranger.answer() == [b'OK "Done"\r\n']
        assert stranger.response().startswith(b"BYE ")
        assert stranger.response() == b""
        silent = Dialogue(server, "implicit")
        silent.send(b'AUTHENTICATE "PLAIN"\r\n')
        assert silent.response() == b'""\r\n'
        assert silent.response().startswith(b"BYE ")
    finally:
        server.stop()


def test_who_sends_an_octet_now_and_then_ends(
    certificate: Certificate, account: Account, django_db_setup: None
) -> None:
    server = RunningServer(certificate, command_seconds=0.5)
    try:
        slow = Dialogue(server, "implicit")
        slow.log_in(account.address, account.password)
        stopped = threading.Event()

        def drip() -> None:
            with contextlib.suppress(OSError):
                while not stopped.wait(0.05):
                    slow.send(b"N")

        dripping = threading.Thread(target=drip)
        dripping.start()
        assert slow.response().startswith(b"BYE ")
        stopped.set()
        dripping.join()
        quiet = Dialogue(server, "implicit")
        quiet.log_in(account.address, account.password)
        time.sleep(0.8)  # between commands there is time
        assert quiet.command(b"NOOP") == [b'OK "Done"\r\n']
    finally:
        server.stop()


def test_a_client_that_reads_nothing_is_not_read_from(
    certificate: Certificate, account: Account, django_db_setup: None
) -> None:
    server = RunningServer(certificate)
    try:
        deaf = Dialogue(server, "implicit")
        deaf.log_in(account.address, account.password)
        deaf.put("large", b"#" * 500_000)
        deaf.socket.settimeout(1)
        with pytest.raises(TimeoutError):
            deaf.send(b'GETSCRIPT "large"\r\n' * 2_000_000)
        (session,) = server.server.sessions
        transport = session.connection._transport
        assert transport is not None
        assert transport.get_write_buffer_size() < 2_000_000
        assert len(session.connection.reader) < 500_000
    finally:
        server.stop()


def test_strangers_of_one_address_are_few(
    certificate: Certificate,
    account: Account,
    django_db_setup: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("transport.connection_limits.LOCAL_MAXIMUM", 0)
    server = RunningServer(certificate, strangers=ConnectionLimits(per_address=1))
    try:
        known = Dialogue(server, "implicit")
        refused = Dialogue(server, "implicit")
        assert refused.greeting[-1].startswith(b"BYE ")
        assert refused.response() == b""
        known.log_in(account.address, account.password)
        admitted = Dialogue(server, "implicit")
        assert admitted.greeting[-1].startswith(b"OK ")
        known.command(b"UNAUTHENTICATE")
        assert known.response().startswith(b"BYE ")
    finally:
        server.stop()


def test_sessions_of_one_login_are_bounded(
    certificate: Certificate, account: Account, django_db_setup: None
) -> None:
    server = RunningServer(certificate, open_logins=OpenLogins(1))
    try:
        first, second = Dialogue(server, "implicit"), Dialogue(server, "implicit")
        first.log_in(account.address, account.password)
        plain = base64.b64encode(f"\0{account.address}\0{account.password}".encode())
        answer = second.command(b'AUTHENTICATE "PLAIN" "%b"' % plain)[-1]
        assert answer.startswith(b"NO (TRYLATER) ")
        first.command(b"UNAUTHENTICATE")
        second.log_in(account.address, account.password)
    finally:
        server.stop()


def test_pipelined_commands_are_answered_in_order(connect: Connect) -> None:
    client = connect()
    client.send(b"".join(b'NOOP "%d"\r\n' % number for number in range(300)))
    expected = [b'OK (TAG "%d") "Done"\r\n' % number for number in range(300)]
    assert [client.response() for _ in range(300)] == expected


def test_one_octet_at_a_time(connect: Connect) -> None:
    client = connect()
    for octet in b'PUTSCRIPT "a" {6+}\r\nkeep;\n\r\nGETSCRIPT {1+}\r\na\r\n':
        client.send(bytes([octet]))
    assert client.answer() == [b"OK\r\n"]
    assert client.answer() == [b"{6}\r\nkeep;\n\r\n", b"OK\r\n"]


def test_a_client_that_hangs_up_after_its_commands_has_them_done(
    connect: Connect, account: Account, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    client = connect()
    client.send(b'PUTSCRIPT "a" "keep;"\r\nSETACTIVE "a"\r\nLOGOUT\r\n')
    client.socket.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:  # nobody tells when they are done
        if storage.active_script(database, account.owner) == ("a", b"keep;"):
            return
        time.sleep(0.02)
    pytest.fail("not done")


def test_disabling_a_user_ends_open_sessions(
    connect: Connect, account: Account, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    client = connect()
    database.execute(
        "UPDATE accounts_user SET is_active = false WHERE id ="
        " (SELECT user_id FROM accounts_mailbox WHERE id = %s)",
        [account.owner],
    )
    assert client.response().startswith(b"BYE ")
    assert client.response() == b""


def test_our_own_failure_is_trylater(
    connect: Connect, account: Account, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    """Somebody holds the mailbox's turn for longer than a statement waits."""
    from accounts.mailstore.locking import take_turn

    client = connect()
    with database.transaction():
        take_turn(database, account.owner)
        assert client.put("a", b"keep;").startswith(b"NO (TRYLATER) ")
    assert client.put("a", b"keep;") == b"OK\r\n"


def test_quota_of_scripts(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "SCRIPTS_MAXIMUM", 1)
    monkeypatch.setattr(storage, "TOTAL_MAXIMUM", 100)
    client = connect()
    assert client.put("a", b"keep;") == b"OK\r\n"
    assert client.put("b", b"keep;").startswith(b"NO (QUOTA/MAXSCRIPTS) ")
    assert client.command(b'HAVESPACE "b" 5')[-1].startswith(b"NO (QUOTA/MAXSCRIPTS) ")
    assert client.put("a", b"#" * 101).startswith(b"NO (QUOTA/MAXSIZE) ")
    assert client.command(b'HAVESPACE "a" 100') == [b"OK\r\n"]
    assert client.command(b'HAVESPACE "a" 101')[-1].startswith(b"NO (QUOTA/MAXSIZE) ")


def test_all_errors_of_a_script_are_told_with_their_places(connect: Connect) -> None:
    client = connect()
    assert client.put("a", b"keep;") == b"OK\r\n"
    broken = b'require "nonsense";\r\nkeep;\r\n  fileinto 5;\r\nbad;\r\n'
    for answer in (
        client.put("a", broken),
        client.command(b"CHECKSCRIPT {%d+}\r\n%b" % (len(broken), broken))[-1],
    ):
        assert answer.startswith(b"NO {")
        lines = answer.decode().split("\r\n")[1:-1]
        assert [line.partition(":")[0] for line in lines] == [
            "line 1, column 9",
            "line 3, column 3",
            "line 4, column 1",
        ]
    assert client.command(b'GETSCRIPT "a"')[0] == b"{5}\r\nkeep;\r\n"


@pytest.mark.parametrize(
    "name", [b'"\xff"', b"{3+}\r\na\nb", b'"\xc2\x85"', b'"%b"' % (b"x" * 129)]
)
def test_names_that_no_script_may_have(connect: Connect, name: bytes) -> None:
    client = connect()
    for command in (b"GETSCRIPT " + name, b"PUTSCRIPT " + name + b' "keep;"', b"SETACTIVE " + name):
        assert client.command(command)[-1].startswith(b"NO ")
    assert client.command(b'HAVESPACE "%b" 1' % ("日".encode() * 128)) == [b"OK\r\n"]
