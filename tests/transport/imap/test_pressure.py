"""Clients that send without reading, or read without haste: memory stays bounded, and nothing is lost."""

import time

import psycopg
import pytest

from tests.factories import PASSWORD, MakeUser
from tests.transport.imap.conftest import Account, Connect
from tests.transport.imap.dialogue import Dialogue
from tests.transport.imap.running import RunningServer
from transport.imap.session import Session

SIZE = 1_000_000
TIMES = 40
HELD_MAXIMUM = 3_000_000


def session_of(server: RunningServer, account: Account) -> Session:
    async def find() -> Session:
        (found,) = (
            s for s in server.server.sessions if s.login and s.login.address == account.address
        )
        return found

    return server.run(find())


def held(server: RunningServer, session: Session) -> int:
    """Octets of output that the server keeps for the client."""

    async def measure() -> int:
        transport = session.connection._transport
        assert transport is not None
        return transport.get_write_buffer_size() + session.connection._output_size

    return server.run(measure())


def test_a_client_that_does_not_read_costs_little(
    imap: RunningServer, connect: Connect, account: Account
) -> None:
    client: Dialogue = connect()
    content = b"Subject: large\r\n\r\n" + b"0123456789abcde\n" * (SIZE // 16)
    client.append("INBOX", content)
    client.command(b"SELECT INBOX")
    session = session_of(imap, account)
    client.send(b"".join(b"f%d FETCH 1 BODY.PEEK[]\r\n" % number for number in range(TIMES)))
    highest, steady = 0, 0
    while steady < 20:  # until the server has stopped to wait for us
        before = highest
        highest = max(highest, held(imap, session))
        steady = steady + 1 if highest == before else 0
        time.sleep(0.01)
    assert 0 < highest < HELD_MAXIMUM
    for number in range(TIMES):
        assert content in client.response()
        assert client.response() == b"f%d OK Fetched\r\n" % number


def test_a_flood_of_commands_is_taken_as_fast_as_it_is_answered(connect: Connect) -> None:
    client = connect()
    count = 20_000
    client.socket.settimeout(60)
    client.send(b"".join(b"c%d NOOP\r\n" % number for number in range(count)))
    for number in range(count):
        assert client.response() == b"c%d OK Done\r\n" % number


def test_what_was_sent_before_hanging_up_is_still_done(connect: Connect) -> None:
    client, other = connect(), connect()
    client.send(b"a CREATE one\r\nb CREATE two\r\nc CREATE three\r\n")
    client.close()
    until = time.monotonic() + 10
    while b"three" not in b"".join(other.command(b'LIST "" t%')):
        assert time.monotonic() < until


def test_one_locked_mailbox_holds_up_its_own_sessions_only(
    imap: RunningServer,
    connect: Connect,
    account: Account,
    make_user: MakeUser,
    database: psycopg.Connection[tuple[object, ...]],
) -> None:
    """More sessions than the process has threads wait for one lock."""
    waiting = [connect() for _ in range(12)]
    other, user = Dialogue(imap), make_user()
    other.log_in(user.address, PASSWORD)
    with database.transaction():
        database.execute("SELECT FROM accounts_mailbox WHERE id = %s FOR UPDATE", [account.owner])
        for number, dialogue in enumerate(waiting):
            dialogue.send(b"a CREATE folder%d\r\n" % number)
        waiting[0].socket.settimeout(0.3)
        with pytest.raises(TimeoutError):  # they do wait
            waiting[0].socket.recv(1)
        start = time.monotonic()
        for number in range(10):
            assert b" OK " in other.command(b"CREATE mine%d" % number)[-1]
        assert time.monotonic() - start < 2  # the lock's time-out is 5
    for dialogue in waiting[1:]:
        assert dialogue.response().startswith((b"a OK ", b"a NO [UNAVAILABLE] "))
    other.close()


def test_an_attacked_account_is_throttled_with_a_visible_reason(
    connect: Connect, account: Account
) -> None:
    for _ in range(20):
        guesser = connect(login=False)
        for _ in range(4):
            answer = guesser.command(b"LOGIN %b wrong" % account.address.encode())[-1]
            if b" NO [UNAVAILABLE] Too many failed logins" in answer:
                return
        guesser.close()
    raise AssertionError("80 failures, and no throttle")
