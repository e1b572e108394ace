"""Bad input over real sockets: a clear BAD, NO or BYE, bounded memory, no traceback, and other sessions go on."""

import contextlib
import gc
import logging
import os
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.certificates import Certificate
from tests.transport.imap.conftest import Account, Connect
from tests.transport.imap.dialogue import Dialogue
from tests.transport.imap.running import RunningServer
from tests.transport.imap.wire.test_fuzz import NAMES, WORDS
from transport.connection_limits import ConnectionLimits
from transport.imap.incoming_memory import IncomingMemory
from transport.imap.open_logins import OpenLogins
from transport.imap.serving import BAD_MAXIMUM

MEGABYTE = 1_000_000


@pytest.fixture(autouse=True)
def no_failure_of_ours(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing that a client sends makes us fail: no exception reaches the log."""
    caplog.set_level(logging.ERROR)
    yield
    failures = [record.getMessage() for record in caplog.records if record.exc_info]
    assert not failures


@contextlib.contextmanager
def bystander(connect: Connect) -> Iterator[None]:
    """Another session, which works before, during and after."""
    other = connect()
    other.command(b"SELECT INBOX")
    yield
    assert other.command(b"NOOP")[-1] == other_ok(other)
    assert b" OK " in other.command(b"STATUS INBOX (MESSAGES)")[-1]


def other_ok(dialogue: Dialogue) -> bytes:
    return b"t%d OK Done\r\n" % dialogue._tags


def peak_growth(work: "threading.Thread") -> int:
    """By how many octets this process, which is client and server, grows at its highest."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = resident("VmRSS")
    work.start()
    work.join(60)
    assert not work.is_alive()
    return resident("VmHWM") - before


def resident(which: str) -> int:
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"{which}:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


# Lines and literals


def test_literals_of_impossible_sizes(connect: Connect) -> None:
    client = connect()
    with bystander(connect):
        for text in (b"APPEND INBOX {999999999999}", b"LOGIN {999999999999}", b"X {999999999999}"):
            assert b" NO [TOOBIG] " in client.command(text)[-1]
        assert b" NO [TOOBIG] " in client.command(b"SEARCH SUBJECT {65537}")[-1]
        assert b" BAD " in client.command(b"APPEND INBOX {99999999999999999999999}")[-1]
        assert b" BAD " in client.command(b"APPEND INBOX {-1}")[-1]
        client.send(b"a APPEND INBOX {999999999999+}\r\n")
        assert client.response().startswith(b"* BYE ")
        assert client.response() == b""


def test_a_refused_literal_is_dropped_in_little_memory(connect: Connect) -> None:
    client = connect()
    client.socket.settimeout(60)
    block = bytes(MEGABYTE)

    def flood() -> None:
        client.send(b"a APPEND INBOX {200000000+}\r\n")
        for _ in range(200):
            client.send(block)
        client.send(b"\r\n")

    assert peak_growth(threading.Thread(target=flood)) < 20 * MEGABYTE
    assert client.response().startswith(b"a NO [TOOBIG] ")
    assert b" OK " in client.command(b"NOOP")[-1]


def test_lines_that_are_too_long_take_little_memory(connect: Connect) -> None:
    client = connect()

    def flood() -> None:
        for number in range(40):
            client.send(b"a%d NOOP " % number + b"x" * 900_000 + b"\r\n")
            assert client.response().startswith(b"a%d BAD " % number)

    assert peak_growth(threading.Thread(target=flood)) < 20 * MEGABYTE


def test_a_line_of_64_kib_is_taken(connect: Connect) -> None:
    client = connect()
    sets = b",".join(b"%d" % number for number in range(1, 12_000))
    assert 60_000 < len(sets) < 65_000
    assert b" OK " in client.command(b"SELECT INBOX")[-1]
    assert b" OK " in client.command(b"UID FETCH " + sets + b" FLAGS")[-1]


@pytest.mark.parametrize(
    "text",
    [
        b"SEARCH " + b"(" * 5000 + b"ALL" + b")" * 5000,
        b"SEARCH " + b"NOT " * 10_000 + b"ALL",
        b"SEARCH " + b"OR " * 20_000 + b"ALL",
        b"SEARCH " + b"(" * 60_000,
        b"FETCH 1 " + b"(" * 60_000,
        b"FETCH 1 BODY[" + b"1." * 20_000 + b"1]",
        b'LIST "" ' + b"(" * 60_000,
        b"STORE 1 FLAGS " + b"(" * 60_000,
        b"ID " + b"(" * 60_000,
        b"FETCH " + b"1," * 30_000 + b" FLAGS",
    ],
    ids=lambda text: text[:12].decode() + str(len(text)),
)
def test_nesting_is_bad(connect: Connect, text: bytes) -> None:
    client = connect()
    client.command(b"SELECT INBOX")
    assert b" BAD " in client.command(text)[-1]
    assert b" OK " in client.command(b"NOOP")[-1]


@pytest.mark.parametrize(
    "text",
    [
        b'SELECT "IN\0BOX"',
        b'LOGIN "a\0b" "c"',
        b'CREATE "x\0"',
        b"SELECT caf\xc3\xa9",
        b"SELECT INBOX\xff",
        b"CREATE \x80",
        b"NO\xffOP",
        b"STORE 1 FLAGS (\xe9)",
        b"SEARCH KEYWORD \xe9",
        b"SELECT {5}x",
        b'SELECT "unterminated',
        b'SELECT "bad \\escape"',
        b"SELECT",
        b"SELECT ",
        b"SELECT INBOX INBOX (",
        b"",
        b" ",
        b"UID",
        b"UID NOOP",
        b"FETCH",
        b"FETCH 0 FLAGS",
        b"FETCH 1 BODY[",
        b"FETCH 1 BODY[]<1>",
        b"FETCH 1 NONSENSE",
        b"SEARCH SINCE 31-Feb-2020",
        b"SEARCH SINCE 1-Xxx-2020",
        b"SEARCH LARGER -1",
        b"SEARCH LARGER 99999999999999999999",
        b"STATUS INBOX (NONSENSE)",
        b"AUTHENTICATE",
        b"\x00\x01\x02\x7f",
    ],
)
def test_what_the_grammar_forbids_is_bad(connect: Connect, text: bytes) -> None:
    client = connect()
    client.command(b"SELECT INBOX")
    client.send(b"a " + text + b"\r\n")
    assert client.response().startswith((b"a BAD ", b"* BAD "))
    assert b" OK " in client.command(b"NOOP")[-1]


def test_a_nul_in_a_literal_where_a_string_may_stand_does_no_harm(connect: Connect) -> None:
    client = connect()
    client.command(b"SELECT INBOX")
    for start in (
        b"CREATE ", b"SELECT ", b'LIST "" ', b"STATUS ", b"SUBSCRIBE ", b"DELETE ",
        b"SEARCH SUBJECT ", b"SEARCH HEADER x ", b"SEARCH BODY ", b"SEARCH TEXT ",
        b"RENAME x ", b"COPY 1 ", b"GETQUOTAROOT ", b"GETACL ",
    ):  # fmt: skip
        end = b" (MESSAGES)" if start == b"STATUS " else b""
        (answer,) = client.command(start + b"{3+}\r\na\0b" + end)[-1:]
        assert b" OK " in answer or b" NO " in answer or b" BAD " in answer
        assert b"SERVERBUG" not in answer


@pytest.mark.parametrize("plus", [b"", b"+"])
def test_a_literal_wherever_a_string_may_stand(
    connect: Connect, account: Account, plus: bytes
) -> None:
    def send(dialogue: Dialogue, *words: bytes | tuple[bytes]) -> bytes:
        """A word in a tuple goes as a literal."""
        text = b"x"  # and what of the line is not sent yet
        for word in words:
            if not text.endswith(b"(") and word[:1] != b")":
                text += b" "
            if isinstance(word, bytes):
                text += word
                continue
            (content,) = word
            text += b"{%d%b}\r\n" % (len(content), plus)
            if not plus:
                dialogue.send(text)
                assert dialogue.response().startswith(b"+ ")
                text = b""
            text += content
        dialogue.send(text + b"\r\n")
        return dialogue.until(b"x")[-1]

    client = connect(login=False)
    user, password = account.address.encode(), account.password.encode()
    assert send(client, b"ID (", (b"name",), (b"tests",), b")").startswith(b"x OK")
    assert send(client, b"LOGIN", (user,), (password,)).startswith(b"x OK")
    message = b"Subject: x\r\n\r\ny\r\n"
    for words in (
        (b"CREATE", (b"one",)),
        (b"SUBSCRIBE", (b"one",)),
        (b"APPEND", (b"one",), b"(\\Seen)", (message,)),
        (b"RENAME", (b"one",), (b"two",)),
        (b"LIST", (b"",), (b"t%",)),
        (b"LSUB", (b"",), (b"*",)),
        (b"STATUS", (b"two",), b"(MESSAGES)"),
        (b"SELECT", (b"two",)),
        (b"SEARCH SUBJECT", (b"x",), b"NOT FROM", (b"y",)),
        (b"SEARCH HEADER", (b"Subject",), (b"x",)),
        (b"SEARCH CHARSET", (b"UTF-8",), b"TEXT", ("ü".encode(),)),
        (b"FETCH 1 BODY.PEEK[HEADER.FIELDS (", (b"Subject",), b")]"),
        (b"COPY 1", (b"INBOX",)),
        (b"MOVE 1", (b"Trash",)),
        (b"UNSUBSCRIBE", (b"two",)),
        (b"EXAMINE", (b"INBOX",)),
        (b"DELETE", (b"two",)),
    ):
        assert send(client, *words).startswith(b"x OK"), words


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"+ NOOP", b"* BAD "),
        (b"* NOOP", b"* BAD "),
        (b"(a NOOP", b"* BAD "),
        (b'"a" NOOP', b"* BAD "),
        (b"\xe9 NOOP", b"* BAD "),
        (b"a{ NOOP", b"* BAD "),
        (b"a\\b NOOP", b"* BAD "),
        (b"a%b NOOP", b"* BAD "),
        (b"{1+}\r\na NOOP", b"* BAD "),
        (b"a" * 1000 + b" NOOP", b"* BAD "),
        (b"] NOOP", b"] OK "),
        (b"a.b-c_d:e!#$&'/;<=>?@^`|~,[ NOOP", b"a.b-c_d:e!#$&'/;<=>?@^`|~,[ OK "),
        (b"NOOP", b"* BAD "),
        (b"a\tNOOP", b"* BAD "),
    ],
)
def test_tags(connect: Connect, line: bytes, answer: bytes) -> None:
    client = connect()
    client.send(line + b"\r\nend NOOP\r\n")
    first = client.response()
    assert first.startswith(answer) or (answer == b"* BAD " and b" BAD " in first[:80]), first
    assert client.until(b"end")[-1].startswith(b"end OK")


# Floods, and what is never finished


def test_a_thousand_bad_commands(connect: Connect) -> None:
    client = connect()
    with bystander(connect):
        with contextlib.suppress(OSError):
            client.send(b"x NONSENSE\r\n" * 1000)
        answers = []
        with contextlib.suppress(OSError):
            while answer := client.response():
                answers.append(answer)
        assert all(answer.startswith(b"x BAD ") for answer in answers[:BAD_MAXIMUM])
        assert answers[BAD_MAXIMUM].startswith(b"* BYE ")
        assert len(answers) == BAD_MAXIMUM + 1


def test_a_web_browser_that_speaks_tls_is_hung_up_on_also_mid_way(connect: Connect) -> None:
    for request in (
        b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na LOGOUT\r\n",
        b"GET / HTTP/2\r\n\r\n",
        b"CONNECT a:1 HTTP/1.0\r\n\r\n",
    ):
        browser = connect(login=False)
        browser.send(request)
        assert browser.response() == b""


def raw(server: RunningServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def test_handshakes_that_stall_are_given_up(
    certificate: Certificate,
    account: Account,
    django_db_setup: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("transport.imap.server.HANDSHAKE_SECONDS", 0.3)
    server = RunningServer(certificate)
    try:
        silent, half, plain, noisy = (raw(server) for _ in range(4))
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        hello = ssl.create_default_context().wrap_bio(
            incoming, outgoing, server_hostname="localhost"
        )
        with pytest.raises(ssl.SSLWantReadError):
            hello.do_handshake()
        half.sendall(outgoing.read()[:100])
        plain.sendall(b"a LOGIN x y\r\n")
        noisy.sendall(bytes(range(256)) * 8)
        client = Dialogue(server)  # nobody waits for them
        client.log_in(account.address, account.password)
        for stalled in (silent, half, plain, noisy):
            assert ends(stalled)
        assert b" OK " in client.command(b"NOOP")[-1]
        client.close()
    finally:
        server.stop()


def ends(connection: socket.socket) -> bool:
    """Whether the server closes it, after an alert perhaps."""
    with contextlib.suppress(ConnectionResetError):
        while connection.recv(4096):
            pass
    connection.close()
    return True


def test_byte_by_byte_does_not_hold_a_stranger_s_connection(
    certificate: Certificate, django_db_setup: None
) -> None:
    server = RunningServer(certificate, login_seconds=0.5)
    try:
        slow = Dialogue(server)
        start = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - start < 8:
                slow.send(b"x")
                slow.socket.settimeout(0.05)
                with contextlib.suppress(TimeoutError):
                    if slow.socket.recv(100).startswith(b"* BYE "):
                        break
        assert 0.4 < time.monotonic() - start < 5
    finally:
        server.stop()


def test_an_upload_that_creeps_is_given_up_and_a_slow_one_is_not(
    certificate: Certificate,
    account: Account,
    django_db_setup: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("transport.imap.serving.AUTOLOGOUT_SECONDS", 0.4)
    monkeypatch.setattr("transport.imap.serving.SLOWEST", 1000)
    server = RunningServer(certificate)
    try:
        slow = Dialogue(server)
        slow.log_in(account.address, account.password)
        content = b"Subject: slow\r\n\r\n" + b"x" * 40_000
        slow.send(b"a APPEND INBOX {%d+}\r\n" % len(content))
        for start in range(0, len(content), 2000):  # for twice the deadline
            slow.send(content[start : start + 2000])
            time.sleep(0.04)
        slow.send(b"\r\n")
        assert slow.response().startswith(b"a OK [APPENDUID ")
        slow.send(b"b APPEND INBOX {10000+}\r\nx")
        assert slow.response().startswith(b"* BYE ")
    finally:
        server.stop()


def test_half_closed_and_reset_connections_leave_nothing_behind(
    imap: RunningServer, connect: Connect
) -> None:
    with bystander(connect):
        half = connect()
        half.send(b"a CREATE from-half\r\nb APPEND INBOX {100+}\r\nunfinished")
        socket.socket(fileno=socket.dup(half.socket.fileno())).shutdown(socket.SHUT_WR)
        reset = connect()
        reset.send(b"a APPEND INBOX {100000+}\r\n" + b"x" * 50_000)
        reset.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        reset.socket.close()
        ended = {half.socket.getsockname(), None}
        until = time.monotonic() + 10
        while any(peer(session.connection) in ended for session in tuple(imap.server.sessions)):
            assert time.monotonic() < until
    other = connect()
    assert b"from-half" in b"".join(other.command(b'LIST "" *'))
    assert other.command(b"STATUS INBOX (MESSAGES)")[0].endswith(b"(MESSAGES 0)\r\n")


def peer(connection: object) -> object:
    transport = getattr(connection, "_transport", None)
    return transport.get_extra_info("peername") if transport is not None else None


# What one login may hold


def test_a_login_s_sessions_are_bounded_and_others_are_not(
    certificate: Certificate, account: Account, connect: Connect, django_db_setup: None
) -> None:
    server = RunningServer(certificate, open_logins=OpenLogins(3))
    try:
        opened = [Dialogue(server) for _ in range(4)]
        for dialogue in opened[:3]:
            dialogue.log_in(account.address, account.password)
        login = f'LOGIN {account.address} "{account.password}"'.encode()
        assert b" NO [LIMIT] Too many sessions" in opened[3].command(login)[-1]
        opened[0].command(b"LOGOUT")
        assert opened[0].response() == b""
        assert b" OK " in opened[3].command(login)[-1]
        assert b" OK " in opened[1].command(b"UNAUTHENTICATE")[-1]
        another = Dialogue(server)
        assert b" OK " in another.command(login)[-1]
        for dialogue in (*opened, another):
            dialogue.close()
    finally:
        server.stop()


def test_who_logs_out_by_unauthenticate_is_a_stranger_again(
    certificate: Certificate,
    account: Account,
    django_db_setup: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("transport.connection_limits.LOCAL_MAXIMUM", 0)
    server = RunningServer(certificate, strangers=ConnectionLimits(per_address=1))
    try:
        known = Dialogue(server)
        known.log_in(account.address, account.password)
        stranger = Dialogue(server)
        known.command(b"UNAUTHENTICATE")
        assert known.response().startswith(b"* BYE ")
        assert known.response() == b""
        assert Dialogue(server).greeting.startswith(b"* BYE ")  # the one place is still taken
        stranger.command(b"LOGOUT")
        assert stranger.response() == b""
        assert Dialogue(server).greeting.startswith(b"* OK ")
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("limits", "code"),
    [({"total": 3 * MEGABYTE}, b"UNAVAILABLE"), ({"per_login": 3 * MEGABYTE}, b"LIMIT")],
)
def test_messages_on_their_way_are_bounded(
    certificate: Certificate,
    account: Account,
    django_db_setup: None,
    limits: dict[str, int],
    code: bytes,
) -> None:
    incoming = IncomingMemory(MEGABYTE, **limits)
    server = RunningServer(certificate, max_message_size=2 * MEGABYTE, incoming=incoming)
    try:
        first, second, third = (Dialogue(server) for _ in range(3))
        for dialogue in (first, second, third):
            dialogue.log_in(account.address, account.password)
        content = b"Subject: x\r\n\r\n" + b"x" * (2 * MEGABYTE - 100)
        first.send(b"a APPEND INBOX {%d+}\r\n" % len(content) + content[:-1])
        until = time.monotonic() + 10
        while incoming.octets < len(content):
            assert time.monotonic() < until
        # announced: refused before it comes
        second.send(b"b APPEND INBOX {%d}\r\n" % len(content))
        assert second.response().startswith(b"b NO [" + code + b"] ")
        # sent without asking: dropped
        third.send(b"c APPEND INBOX {%d+}\r\n" % len(content) + content + b"\r\n")
        assert third.response().startswith(b"c NO [UNAVAILABLE] ")
        small = b"Subject: small\r\n\r\ny"
        assert b" OK [APPENDUID " in second.append("INBOX", small)  # always has room
        first.send(content[-1:] + b"\r\n")
        assert first.response().startswith(b"a OK [APPENDUID ")
        assert b" OK [APPENDUID " in third.append("INBOX", content)
        for dialogue in (first, second, third):
            dialogue.command(b"LOGOUT")
            assert dialogue.response() == b""
            dialogue.close()
        while incoming.octets:
            assert time.monotonic() < until
    finally:
        server.stop()


# Everything else


# Right by the grammar, odd in what they ask for.
ODD = [
    *(b"ENABLE IMAP4rev2", b"ENABLE QRESYNC", b"ENABLE UTF8=ACCEPT", b"ENABLE UIDONLY", b"NOOP"),
    *(b"SELECT INBOX", b"EXAMINE INBOX", b"SELECT INBOX (CONDSTORE)", b"SELECT nowhere", b"CLOSE"),
    *(
        b"SELECT INBOX (QRESYNC (1 1 1:* (1 1)))",
        b"UNSELECT",
        b"CHECK",
        b"EXPUNGE",
        b"UID EXPUNGE *",
    ),
    *(b"FETCH 1:* (FLAGS)", b"FETCH * ALL", b"FETCH 4294967295 FULL", b"UID FETCH 1:* (MODSEQ)"),
    *(b"FETCH 1 BODY[99.HEADER]", b"FETCH 1 BODY[1.MIME]<99999999.1>", b"FETCH 1 BODY[]<0.0>"),
    *(b"FETCH 1 (BINARY[1] BINARY.SIZE[1.2.3])", b"FETCH 1 PREVIEW (LAZY)", b"FETCH 1 (SAVEDATE)"),
    *(b"UID FETCH 1:* FLAGS (CHANGEDSINCE 0 VANISHED)", b"UID FETCH 1:* UID (PARTIAL -1:-99)"),
    *(b"FETCH $ FLAGS", b"STORE $ FLAGS ()", b"STORE 1:* +FLAGS (\\Deleted $x)", b"MOVE $ INBOX"),
    *(b"STORE 1 (UNCHANGEDSINCE 0) -FLAGS.SILENT \\Seen", b"COPY 1:* INBOX", b"MOVE 1:* Trash"),
    *(b"UID COPY 99:100 Trash", b"UID MOVE 1:* INBOX", b"COPY 1 nowhere", b"LIST (SUBSCRIBED) * *"),
    *(b"SEARCH RETURN (SAVE) ALL", b"SEARCH RETURN (MIN MAX COUNT ALL SAVE) NOT 1:*", b"SEARCH *"),
    *(
        b"UID SEARCH RETURN (PARTIAL -1:-10) ALL",
        b"SEARCH CHARSET X-NO ALL",
        b"SEARCH NOT NOT NOT ALL",
    ),
    *(
        b"SEARCH UID $",
        b"SEARCH MODSEQ 99999999999",
        b'SEARCH MODSEQ "/flags/\\\\Seen" all 1',
        b"SEARCH $",
    ),
    *(
        b"SEARCH LARGER 9223372036854775807",
        b"SEARCH FUZZY SUBJECT x",
        b"SEARCH YOUNGER 4294967295",
    ),
    *(
        b'SEARCH HEADER "" ""',
        b'SEARCH TEXT "\xc3\xa9"',
        b"SEARCH SENTSINCE 1-Jan-0001",
        b"SEARCH EMAILID M0",
    ),
    *(
        b"SEARCH BEFORE 31-Dec-9999",
        b"SORT (REVERSE DATE SIZE) UTF-8 ALL",
        b"SORT (DISPLAYFROM) X ALL",
    ),
    *(b"UID SORT RETURN (COUNT MIN) (ARRIVAL) US-ASCII NOT SEEN", b"THREAD REFERENCES UTF-8 ALL"),
    *(
        b"THREAD ORDEREDSUBJECT UTF-8 $",
        b'LIST "" (* %) RETURN (STATUS (SIZE) SPECIAL-USE CHILDREN)',
    ),
    *(b'LIST (RECURSIVEMATCH SUBSCRIBED) "" *', b'LIST "a/../" "%/%"', b'LSUB "" %', b'XLIST "" *'),
    *(b"CREATE a/b/c", b'CREATE "x" (USE (\\Junk))', b"CREATE INBOX", b'CREATE ""', b'CREATE "//"'),
    *(
        b"RENAME INBOX old",
        b"RENAME a a/b",
        b"RENAME a/b/c d",
        b"DELETE a",
        b"DELETE INBOX",
        b"DELETE x",
    ),
    *(
        b"SUBSCRIBE nowhere",
        b"UNSUBSCRIBE x",
        b"STATUS INBOX (MESSAGES SIZE HIGHESTMODSEQ DELETED)",
    ),
    *(
        b"STATUS Shared/nobody@x/y (MESSAGES)",
        b"SELECT Shared/",
        b"GETACL INBOX",
        b"MYRIGHTS INBOX",
    ),
    *(
        b"SETACL INBOX anyone lrs",
        b'SETACL INBOX "" +x',
        b"LISTRIGHTS INBOX x",
        b"DELETEACL INBOX x",
    ),
    *(
        b'GETMETADATA "" /private/comment',
        b'SETMETADATA INBOX (/private/comment "x")',
        b"GETQUOTA x",
    ),
    *(
        b'SETMETADATA "" (/shared/x NIL)',
        b"GETQUOTAROOT INBOX",
        b'SETQUOTA "" (STORAGE 0)',
        b"NAMESPACE",
    ),
    *(
        b"GETMETADATA (DEPTH infinity MAXSIZE 0) INBOX /",
        b"NOTIFY NONE",
        b"UNAUTHENTICATE",
        b"ID NIL",
    ),
    *(
        b"NOTIFY SET STATUS (SELECTED (MessageNew (FLAGS) MessageExpunge)) (PERSONAL (MailboxName))",
    ),
    *(
        b"APPEND INBOX {0+}\r\n",
        b"APPEND INBOX (\\Seen) ~{3+}\r\na\0b",
        b"APPEND nowhere {1+}\r\nx",
    ),
    *(b'APPEND INBOX "31-Dec-9999 23:59:60 +9999" {1+}\r\nx', b"APPEND INBOX {1+}\r\nx {1+}\r\ny"),
    *(
        b"REPLACE 1 INBOX {1+}\r\nx",
        b"UID REPLACE 1 Trash {1+}\r\nx",
        b"IDLE\r\nDONE",
        b"CAPABILITY",
    ),
]

lines = st.lists(
    st.one_of(
        st.sampled_from(ODD).map(lambda text: b"a " + text),
        st.sampled_from(ODD).map(lambda text: b"a " + text),
        st.builds(
            lambda name, words: b"a " + name.encode() + b" " + b" ".join(words),
            st.sampled_from([name for name in NAMES if name not in ("LOGOUT", "COMPRESS")]),
            st.lists(st.sampled_from(WORDS), max_size=8),
        ),
        st.lists(st.sampled_from(WORDS), max_size=10).map(b"".join),
        st.binary(max_size=50),
    ),
    max_size=12,
).map(b"\r\n".join)


@settings(
    max_examples=int(os.environ.get("IMAP_EXAMPLES", "150")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(commands=lines, selected=st.booleans(), is_known=st.booleans())
def test_no_dialogue_makes_the_server_fail(
    connect: Connect,
    caplog: pytest.LogCaptureFixture,
    commands: bytes,
    selected: bool,
    is_known: bool,
) -> None:
    client = connect(login=is_known)
    if selected and is_known:
        client.append("INBOX", b"Subject: x\r\n\r\ny\r\n")
        client.command(b"SELECT INBOX")
    client.send(commands + b"\r\nend LOGOUT\r\nend LOGOUT\r\nDONE\r\nend LOGOUT\r\nend LOGOUT\r\n")
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        while response := client.response():
            assert b" NO [SERVERBUG] " not in response, commands
    client.close()
    assert not [record.getMessage() for record in caplog.records if record.exc_info], commands
