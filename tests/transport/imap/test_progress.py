"""INPROGRESS (RFC 9585): a command that takes long says that it runs."""

import psycopg
import pytest

from accounts.mailstore.locking import take_turn
from accounts.mailstore.values import MailboxId
from tests.certificates import Certificate
from tests.transport.imap.conftest import Account
from tests.transport.imap.dialogue import Dialogue
from tests.transport.imap.running import RunningServer
from transport.database_threads import connection_string


@pytest.mark.parametrize(("tag", "name"), [(b"long", b'"long"'), (b"lo]ng", b"NIL")])
def test_a_command_that_waits_for_another_says_so(
    certificate: Certificate, account: Account, django_db_setup: None, tag: bytes, name: bytes
) -> None:
    """A tag with a bracket cannot stand in the response code (RFC 9585 §4)."""
    server = RunningServer(certificate, progress_seconds=0.05)
    try:
        client = Dialogue(server)
        client.log_in(account.address, account.password)
        client.append("INBOX", b"Subject: x\r\n\r\nbody\r\n")
        client.command(b"SELECT INBOX")
        with psycopg.connect(connection_string()) as other:
            take_turn(other, MailboxId(account.owner))
            client.send(tag + b" STORE 1 +FLAGS (\\Seen)\r\n")
            told = b"* OK [INPROGRESS (" + name + b" NIL NIL)] Still at it\r\n"
            assert client.response() == told
            assert client.response() == told
        answers = [line for line in client.until(tag) if line != told]
        assert answers == [b"* 1 FETCH (FLAGS (\\Seen))\r\n", tag + b" OK Stored\r\n"]
        client.close()
    finally:
        server.stop()
