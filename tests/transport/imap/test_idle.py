"""IDLE (RFC 2177): what one session does, another hears at once, in whichever process."""

import threading
import time
from collections.abc import Callable

from tests.certificates import Certificate
from tests.transport.imap.conftest import Account, Connect
from tests.transport.imap.dialogue import Dialogue
from tests.transport.imap.running import RunningServer

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


def begin_idle(dialogue: Dialogue) -> None:
    dialogue.command(b"SELECT INBOX")
    dialogue.send(b"i IDLE\r\n")
    assert dialogue.response() == b"+ idling\r\n"


def test_a_delivery_is_heard_within_50_ms_in_another_process(
    connect: Connect, other_imap: RunningServer
) -> None:
    idling, writing = connect(other_imap), connect()
    begin_idle(idling)
    delays = []
    for count in range(1, 12):
        answered: list[float] = []

        def append(note: Callable[[float], None] = answered.append) -> None:
            writing.append("INBOX", MESSAGE)
            note(time.perf_counter())

        thread = threading.Thread(target=append)
        thread.start()
        assert idling.response() == b"* %d EXISTS\r\n" % count
        heard = time.perf_counter()
        thread.join()
        delays.append(heard - answered[0])
    assert sorted(delays)[len(delays) // 2] < 0.05


def test_flags_and_expunges_are_heard(connect: Connect, other_imap: RunningServer) -> None:
    idling, writing = connect(other_imap), connect()
    writing.append("INBOX", MESSAGE)
    writing.append("INBOX", MESSAGE)
    begin_idle(idling)
    writing.command(b"SELECT INBOX")
    writing.command(b"STORE 1 +FLAGS.SILENT (\\Deleted)")
    assert idling.response() == b"* 1 FETCH (UID 1 FLAGS (\\Deleted))\r\n"
    writing.command(b"EXPUNGE")
    assert idling.response() == b"* 1 EXPUNGE\r\n"
    idling.send(b"DONE\r\n")
    assert idling.until(b"i") == [b"i OK Idled\r\n"]


def test_done_and_more_commands_in_one_packet(connect: Connect) -> None:
    """Apple's Mail does that."""
    idling = connect()
    begin_idle(idling)
    idling.send(b"DONE\r\nj NOOP\r\nk IDLE\r\nDONE\r\n")
    assert idling.until(b"i") == [b"i OK Idled\r\n"]
    assert idling.until(b"j") == [b"j OK Done\r\n"]
    assert idling.until(b"k") == [b"+ idling\r\n", b"k OK Idled\r\n"]


def test_a_command_while_idling_is_bad_and_ends_nothing(connect: Connect) -> None:
    """iOS sends IDLE again."""
    idling = connect()
    begin_idle(idling)
    idling.send(b"j IDLE\r\n")
    assert idling.response() == b"j BAD DONE expected\r\n"
    idling.send(b"DONE\r\n")
    assert idling.until(b"i") == [b"i OK Idled\r\n"]


def test_idling_without_a_folder(connect: Connect) -> None:
    idling = connect()
    idling.send(b"i IDLE\r\nDONE\r\n")
    assert idling.until(b"i") == [b"+ idling\r\n", b"i OK Idled\r\n"]


def test_an_untagged_ok_tells_that_the_server_is_there(
    certificate: Certificate, account: Account, django_db_setup: None
) -> None:
    server = RunningServer(certificate, still_here_seconds=0.05)
    try:
        idling = Dialogue(server)
        idling.log_in(account.address, account.password)
        begin_idle(idling)
        assert idling.response() == b"* OK Still here\r\n"
        assert idling.response() == b"* OK Still here\r\n"
        idling.close()
    finally:
        server.stop()


def test_an_idling_session_hears_that_its_folder_is_gone(connect: Connect) -> None:
    idling, other = connect(), connect()
    other.command(b"CREATE Gone")
    idling.command(b"SELECT Gone")
    idling.send(b"i IDLE\r\n")
    idling.response()
    other.command(b"DELETE Gone")
    assert idling.response().startswith(b"* BYE ")
    assert idling.response() == b""


def test_nothing_comes_before_the_continuation(connect: Connect) -> None:
    """K-9 passes over what does."""
    idling, writing = connect(), connect()
    idling.command(b"SELECT INBOX")
    writing.append("INBOX", MESSAGE)
    idling.send(b"i IDLE\r\n")
    assert idling.response() == b"+ idling\r\n"
    assert idling.response() == b"* 1 EXISTS\r\n"
