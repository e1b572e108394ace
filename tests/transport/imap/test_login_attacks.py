"""Guessers over real sockets: a visible reason, the user at home gets in, and SMTP and IMAP count together."""

import base64

import psycopg

from accounts.throttle import FREE_PER_ACCOUNT, FREE_PER_PAIR
from tests.transport.imap.conftest import Account, Connect
from tests.transport.imap.dialogue import Dialogue
from tests.transport.imap.running import RunningServer


def test_a_botnet_blocks_strangers_only(
    imap: RunningServer,
    connect: Connect,
    account: Account,
    database: psycopg.Connection[tuple[object, ...]],
) -> None:
    connect()  # from 127.0.0.1: known from now on
    database.execute(
        "INSERT INTO accounts_loginfailure (source, account, is_known, failures, last_at)"
        " VALUES ('', %s, false, %s, now())",
        [account.address, FREE_PER_ACCOUNT - 1],
    )
    bot = Dialogue(imap, source="127.0.0.77")
    assert b" NO [AUTHENTICATIONFAILED] " in guess(bot, account, "wrong")
    reason = (
        b" NO [UNAVAILABLE] Too many failed logins to this account from elsewhere; try again in 1"
    )
    for address in ("127.0.0.77", "127.0.0.78"):
        other = Dialogue(imap, source=address)
        assert reason in guess(other, account, "wrong")
        assert reason in guess(other, account, account.password)
        plain = base64.b64encode(f"\0{account.address}\0x".encode())
        assert reason in other.command(b"AUTHENTICATE PLAIN " + plain)[-1]
        first = base64.b64encode(f"n,,n={account.address},r=x".encode())
        assert reason in other.command(b"AUTHENTICATE SCRAM-SHA-256 " + first)[-1]
        other.close()
    bot.close()
    assert b" OK " in connect().command(b"SELECT INBOX")[-1]


def test_one_guesser_is_told_to_wait_and_nobody_else(imap: RunningServer, account: Account) -> None:
    bot = Dialogue(imap, source="127.0.0.79")
    for _ in range(FREE_PER_PAIR - 1):
        assert b" NO [AUTHENTICATIONFAILED] " in guess(bot, account, "wrong")
    bot.close()
    bot = Dialogue(imap, source="127.0.0.79")
    assert b" NO [AUTHENTICATIONFAILED] " in guess(bot, account, "wrong")
    answer = guess(bot, account, account.password)
    assert b" NO [UNAVAILABLE] Too many failed logins to this account; try again in 1 sec" in answer
    bot.close()
    user = Dialogue(imap, source="127.0.0.80")
    assert b" OK " in guess(user, account, account.password)
    user.close()


def guess(dialogue: Dialogue, account: Account, password: str) -> bytes:
    return dialogue.command(f'LOGIN {account.address} "{password}"'.encode())[-1]
