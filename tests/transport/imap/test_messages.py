"""Whole messages through IMAP: large ones in pieces, nested parts, junk's many names."""

import random

from tests.transport.imap.conftest import Connect
from transport.imap.streams import PIECE

NESTED = b"""From: a@example.org
Subject: outer
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

first
--b
Content-Type: message/rfc822

Subject: inner
X-One: 1
Content-Type: multipart/alternative; boundary=c

--c
Content-Type: text/plain

plain
--c
Content-Type: text/html

<b>html</b>
--c--
--b--
""".replace(b"\n", b"\r\n")


def test_a_large_message_comes_back_whole_and_in_slices(connect: Connect) -> None:
    client = connect()
    noise = random.Random(1)
    lines = [b"%040x\r\n" % noise.getrandbits(160) for _ in range(PIECE // 16)]
    content = b"Subject: large\r\n\r\n" + b"".join(lines)
    assert len(content) > 2 * PIECE
    assert b" OK " in client.append("INBOX", content)
    client.command(b"SELECT INBOX")
    label = b"* 1 FETCH (BODY[] {%d}\r\n" % len(content)
    assert client.command(b"FETCH 1 BODY.PEEK[]")[0] == label + content + b")\r\n"
    start = PIECE - 10
    answer = client.command(b"FETCH 1 BODY.PEEK[]<%d.%d>" % (start, PIECE + 20))[0]
    piece = content[start : start + PIECE + 20]
    assert answer == b"* 1 FETCH (BODY[]<%d> {%d}\r\n%b)\r\n" % (start, len(piece), piece)
    answer = client.command(b"FETCH 1 (BODY.PEEK[HEADER] RFC822.SIZE)")[0]
    assert (
        answer
        == b"* 1 FETCH (BODY[HEADER] {18}\r\nSubject: large\r\n\r\n RFC822.SIZE %d)\r\n"
        % len(content)
    )


def test_nested_parts_are_slices(connect: Connect) -> None:
    client = connect()
    client.append("INBOX", NESTED)
    client.command(b"SELECT INBOX")

    def section(name: bytes) -> bytes:
        answer = client.command(b"FETCH 1 BODY.PEEK[%b]" % name)[0]
        start = b"* 1 FETCH (BODY[%b] {" % name
        assert answer.startswith(start), answer
        return answer[len(start) :].partition(b"}\r\n")[2].removesuffix(b")\r\n")

    assert section(b"1") == b"first"
    assert section(b"1.MIME") == b"Content-Type: text/plain\r\n\r\n"
    assert section(b"2.MIME") == b"Content-Type: message/rfc822\r\n\r\n"
    assert section(b"2.HEADER.FIELDS (X-ONE)") == b"X-One: 1\r\n\r\n"
    assert section(b"2.HEADER.FIELDS.NOT (CONTENT-TYPE)") == b"Subject: inner\r\nX-One: 1\r\n\r\n"
    assert section(b"2.1") == b"plain"
    assert section(b"2.2") == b"<b>html</b>"
    assert section(b"2") == section(b"2.HEADER") + section(b"2.TEXT")
    assert section(b"") == section(b"HEADER") + section(b"TEXT") == NESTED
    assert client.command(b"FETCH 1 BODY[1.HEADER]")[0].startswith(b"* 1 FETCH (BODY[1.HEADER] NIL")


def test_junk_has_many_names_and_not_junk_clears_them(connect: Connect) -> None:
    client = connect()
    client.append("INBOX", NESTED, "($Junk)")
    client.command(b"SELECT INBOX")
    flags = client.command(b"FETCH 1 FLAGS")[0]
    assert b"$Junk" in flags
    assert b" Junk" in flags
    client.command(b"STORE 1 +FLAGS.SILENT (NonJunk)")
    flags = client.command(b"FETCH 1 FLAGS")[0]
    assert b"NonJunk" in flags
    assert b"$NotJunk" in flags
    assert b" Junk" not in flags
    assert b"$Junk" not in flags


def test_silent_hides_only_what_the_client_can_work_out(connect: Connect) -> None:
    client, other = connect(), connect()
    client.append("INBOX", NESTED)
    for session in (client, other):
        session.command(b"SELECT INBOX")
    assert len(client.command(b"STORE 1 +FLAGS.SILENT (\\Seen)")) == 1
    assert len(client.command(b"STORE 1 FLAGS.SILENT (\\Answered)")) == 1
    told = b"".join(client.command(b"STORE 1 +FLAGS.SILENT (Junk)"))
    assert b"* 1 FETCH (FLAGS (\\Answered " in told
    assert b"$Junk" in told


def test_silent_hides_no_news_of_a_message_that_it_did_not_change(connect: Connect) -> None:
    client, other = connect(), connect()
    client.append("INBOX", NESTED)
    for session in (client, other):
        session.command(b"SELECT INBOX")
    other.command(b"STORE 1 +FLAGS (\\Seen)")
    told = b"".join(client.command(b"STORE 1 -FLAGS.SILENT (\\Deleted)"))
    assert b"* 1 FETCH (FLAGS (\\Seen))" in told


def test_a_header_without_end_is_not_appended(connect: Connect) -> None:
    client = connect()
    assert b" NO [LIMIT] " in client.append("INBOX", b"X: y\r\n" * 200_000)
    assert b" OK " in client.append("INBOX", b"X: y\r\n\r\n" + b"X: y\r\n" * 200_000)
