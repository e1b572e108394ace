"""BINARY of large parts, which are decoded in pieces, and APPENDs that are cut off."""

import base64
import random
import re

import pytest

from tests.transport.imap.conftest import Connect
from transport.imap.streams import PIECE

OCTETS = random.Random(3).randbytes(3 * PIECE // 2)
ENCODED = base64.encodebytes(OCTETS).replace(b"\n", b"\r\n")
LARGE = (
    b"Subject: large\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"%b\r\n--b\r\n\r\nlast\r\n--b--\r\n"
) % ENCODED


def test_a_large_part_is_decoded_in_pieces(connect: Connect) -> None:
    client = connect()
    client.append("INBOX", LARGE)
    client.command(b"SELECT INBOX")
    size = client.command(b"FETCH 1 (BINARY.SIZE[1])")[0]
    assert size == b"* 1 FETCH (BINARY.SIZE[1] %d)\r\n" % len(OCTETS)
    whole = client.command(b"FETCH 1 (UID BINARY.PEEK[1] FLAGS)")[0]
    start = b"* 1 FETCH (UID 1 BINARY[1] ~{%d}\r\n" % len(OCTETS)
    assert whole == start + OCTETS + b" FLAGS ())\r\n"


@pytest.mark.parametrize(
    ("first", "length"),
    [(0, 100), (PIECE - 7, 20), (PIECE, PIECE), (len(OCTETS) - 3, 10), (len(OCTETS), 5)],
)
def test_a_partial_of_a_large_part(connect: Connect, first: int, length: int) -> None:
    client = connect()
    client.append("INBOX", LARGE)
    client.command(b"SELECT INBOX")
    answer = client.command(b"FETCH 1 BINARY.PEEK[1]<%d.%d>" % (first, length))[0]
    octets = OCTETS[first : first + length]
    found = re.match(rb"\* 1 FETCH \(BINARY\[1\]<%d> (~?)\{%d\}\r\n" % (first, len(octets)), answer)
    assert found is not None, answer[:100]
    assert bool(found[1]) == (b"\0" in octets)
    assert answer[found.end() :] == octets + b")\r\n"


def test_the_whole_of_a_large_message_as_it_is(connect: Connect) -> None:
    client = connect()
    client.append("INBOX", LARGE)
    client.command(b"SELECT INBOX")
    answer = client.command(b"FETCH 1 BINARY.PEEK[]")[0]
    assert answer == b"* 1 FETCH (BINARY[] {%d}\r\n%b)\r\n" % (len(LARGE), LARGE)
    text = client.command(b"FETCH 1 (BODY.PEEK[1] BODY.PEEK[2])")[0]
    assert text.endswith(ENCODED.removesuffix(b"\r\n") + b" BODY[2] {4}\r\nlast)\r\n") or (
        ENCODED in text and text.endswith(b" BODY[2] {4}\r\nlast)\r\n")
    )


def test_an_append_that_is_cut_off_leaves_nothing(connect: Connect) -> None:
    whole, cut = connect(), connect()
    cut.send(b"a APPEND INBOX {4+}\r\na: b (\\Seen) {100+}\r\nSubject: half")
    cut.close()
    whole.append("INBOX", b"a: c")
    assert whole.command(b"STATUS INBOX (MESSAGES)")[0] == b"* STATUS INBOX (MESSAGES 1)\r\n"


def test_several_messages_may_not_be_larger_than_one(connect: Connect) -> None:
    client = connect()
    part = b"a: b\r\n\r\n" + b"x" * 1000
    client.send(b"a APPEND INBOX {%d+}\r\n%b {%d+}\r\n" % (len(part), part, 10**9))
    client.send(b"x" * 10_000)
    client.close()
    again = connect()
    assert again.command(b"STATUS INBOX (MESSAGES)")[0] == b"* STATUS INBOX (MESSAGES 0)\r\n"


def test_the_sections_of_one_fetch_are_bounded(connect: Connect) -> None:
    client = connect()
    client.append("INBOX", b"Subject: x\r\n\r\n" + b"y" * 1000)
    client.command(b"SELECT INBOX")
    many = [b"BODY.PEEK[]<%d.9>" % first for first in range(51)]
    assert b" BAD " in client.command(b"FETCH 1 (%b)" % b" ".join(many))[-1]
    answer = client.command(b"FETCH 1 (%b)" % b" ".join(many[:50]))
    assert answer[0].endswith(b"BODY[]<49> {9}\r\nyyyyyyyyy)\r\n")
