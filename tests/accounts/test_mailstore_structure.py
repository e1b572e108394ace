"""Tricky messages, and what ENVELOPE and BODYSTRUCTURE say of them."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from imapclient.response_parser import parse_fetch_response

from accounts.mailstore.entities import DEPTH_LIMIT, ENTITIES_LIMIT
from accounts.mailstore.header_addresses import ADDRESSES_LIMIT
from accounts.mailstore.search_texts import BODY_TEXT_LIMIT
from accounts.mailstore.sections import find_part
from accounts.mailstore.structure import Structure, render
from tests.accounts.imap_syntax import Item, check_body, check_envelope, read

MESSAGES = Path(__file__).parent.parent / "messages"
PLAIN = '"text" "plain" ("charset" "us-ascii") NIL NIL "7bit"'


def message(name: str) -> bytes:
    return (MESSAGES / f"{name}.eml").read_bytes()


def checked(content: bytes) -> tuple[Item, Item]:
    """Envelope and body structure, read back by the tests' own reader."""
    structure = render(content)
    envelope, body_structure = read(structure.envelope), read(structure.body_structure)
    check_envelope(envelope)
    check_body(read(structure.body), extended=False)
    check_body(body_structure, extended=True)
    return envelope, body_structure


def text(*lines: bytes) -> bytes:
    return b"\r\n".join(lines)


BODY_STRUCTURES = {
    "simple": '("text" "plain" ("charset" "US-ASCII") NIL NIL "7bit" 26 2 NIL NIL NIL NIL)',
    "nested": (
        '(("text" "x-myown" ("charset" "us-ascii" "foo" "quoted\\"string") "<foo@example.com>" '
        '"hellodescription" "7bit" 7 1 "Q2hlY2sgSW50ZWdyaXR5IQ==" ("inline" ("foo" "bar")) '
        '("en" "fi" "se") "http://example.com/test.txt")'
        '("message" "rfc822" NIL NIL NIL "7bit" 335 ("Sun, 12 Aug 2012 12:34:56 +0300" "submsg" '
        '((NIL NIL "sub" "domain.example")) ((NIL NIL "sub" "domain.example")) '
        '((NIL NIL "sub" "domain.example")) NIL NIL NIL NIL NIL) '
        '(("text" "html" ("charset" "us-ascii") NIL NIL "8bit" 20 1 NIL NIL NIL NIL)'
        f'({PLAIN} 21 1 NIL NIL NIL NIL) "alternative" ("boundary" "sub1") NIL NIL NIL) '
        '19 NIL NIL NIL NIL) "mixed" ("boundary" "foo bar") NIL NIL NIL)'
    ),
    "digest": (
        '(("message" "rfc822" NIL NIL NIL "7bit" 51 (NIL "first" ((NIL NIL "one" "example.org")) '
        '((NIL NIL "one" "example.org")) ((NIL NIL "one" "example.org")) NIL NIL NIL NIL NIL) '
        f"({PLAIN} 10 0 NIL NIL NIL NIL) 3 NIL NIL NIL NIL)"
        f'({PLAIN} 25 0 NIL NIL NIL NIL) "digest" ("boundary" "d") NIL NIL NIL)'
    ),
    "truncated": (
        f'((({PLAIN} 26 0 NIL NIL NIL NIL) "alternative" ("boundary" "inner") NIL NIL NIL)'
        '("application" "octet-stream" ("name" "data.bin") NIL NIL "base64" 4 NIL NIL NIL NIL) '
        '"mixed" ("boundary" "outer") NIL NIL NIL)'
    ),
    "no-boundary": f'(({PLAIN} 73 5 NIL NIL NIL NIL) "mixed" NIL NIL NIL NIL)',
    "no-delimiter": f'(({PLAIN} 28 1 NIL NIL NIL NIL) "mixed" ("boundary" "never") NIL NIL NIL)',
    "headerless-parts": (
        f"(({PLAIN} 53 2 NIL NIL NIL NIL)({PLAIN} 26 0 NIL NIL NIL NIL)"
        '("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) '
        '"mixed" ("boundary" "b") NIL NIL NIL)'
    ),
    "bare-lf": (
        f"(({PLAIN} 3 0 NIL NIL NIL NIL)"
        '("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 6 0 NIL NIL NIL NIL) '
        '"mixed" ("boundary" "b") NIL NIL NIL)'
    ),
    "same-boundary": (
        f'((({PLAIN} 0 0 NIL NIL NIL NIL) "alternative" ("boundary" "b") NIL NIL NIL)'
        f'({PLAIN} 4 0 NIL NIL NIL NIL) "mixed" ("boundary" "b") NIL NIL NIL)'
    ),
    "rfc2231-boundary": (
        f'(({PLAIN} 4 0 NIL NIL NIL NIL) "mixed" ("boundary*0" "ab" "boundary*1" "cd" '
        '"x" "(not a comment)") NIL NIL NIL)'
    ),
    "message-in-base64": (
        '("message" "rfc822" NIL NIL NIL "base64" 42 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) '
        f"({PLAIN} 42 1 NIL NIL NIL NIL) 1 NIL NIL NIL NIL)"
    ),
    "bad-types": (
        f"(({PLAIN} 1 0 NIL NIL NIL NIL)"
        '("application" "x" ("name" "z") NIL NIL "7bit" 1 NIL NIL NIL NIL)'
        '("application" "pdf" ("name" "my file (1).pdf" "size" "1") NIL NIL "7bit" 1 '
        'NIL ("attachment" ("filename" "C:\\\\a\\\\b.pdf")) NIL NIL) '
        '"mixed" ("boundary" "b") NIL NIL NIL)'
    ),
    "body-only": f"({PLAIN} 38 2 NIL NIL NIL NIL)",
    "no-empty-line": f"({PLAIN} 0 0 NIL NIL NIL NIL)",
    "eight-bit": (
        '("text" "plain" ("charset" "utf-8" "name" {8}\r\nfür.txt) NIL NIL "7bit" 17 1 '
        "NIL NIL NIL NIL)"
    ),
    "nul": (
        '("text" "plain" ("name" "xy" "charset" "us-ascii") NIL NIL "7bit" 11 1 NIL NIL NIL NIL)'
    ),
}


@pytest.mark.parametrize("name", BODY_STRUCTURES)
def test_body_structure(name: str) -> None:
    assert render(message(name)).body_structure.decode() == BODY_STRUCTURES[name]


def one(address: str, name: str = "NIL") -> str:
    local_part, _, domain = address.partition("@")
    return f'(({name} NIL "{local_part}" "{domain}"))'


A = one("a@example.org")
ENVELOPES = {
    "simple": (
        '("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" '
        + " ".join([one("gray@cac.washington.edu", '"Terry Gray"')] * 3)
        + ' ((NIL NIL "imap" "cac.washington.edu")) ((NIL NIL "minutes" "CNRI.Reston.VA.US")'
        '("John Klensin" NIL "KLENSIN" "MIT.EDU")) NIL NIL "<B27397-0100000@cac.washington.ed>")'
    ),
    "groups": (
        '(NIL "groups" (("Chair" NIL "chair" "example.org")) (("Chair" NIL "chair" "example.org")) '
        '((NIL NIL "A Group" NIL)("Ed Jones" NIL "joe" "where.test")(NIL NIL "joe" "where.test")'
        '("Jdoe, J." NIL "jdoe" "one.test")(NIL NIL NIL NIL)) '
        '((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL)) '
        '((NIL NIL "Hidden recipients" NIL)(NIL NIL NIL NIL)) '
        '(("his account" NIL "pete" "silly.test")'
        '("A \\"quoted\\" name" NIL "john doe" "example.org")) NIL NIL)'
    ),
    "eight-bit": (
        "(NIL {17}\r\nGrüße aus Köln "
        + " ".join(['(({7}\r\nJürgen NIL {7}\r\njürgen "example.org"))'] * 3)
        + ' (({13}\r\nMüller, Hans NIL "hans" "example.org")) NIL NIL NIL NIL)'
    ),
    "nul": f'(NIL "ab" {A} {A} {A} NIL NIL NIL NIL NIL)',
    "encoded-words": (
        '(NIL "=?utf-8?b?R3LDvMOf?= =?utf-8?q?e_aus?= Wien" '
        + " ".join([one("j@example.org", '"=?utf-8?q?J=C3=BCrgen_M=C3=BCller?="')] * 3)
        + " "
        + one("k@example.org", '"=?iso-2022-jp?b?GyRCJDMkcyRLJEEkTxsoQg==?="')
        + " NIL NIL NIL NIL)"
    ),
    "twice": (
        f'(NIL "one" {" ".join([one("first@example.org")] * 3)} '
        '((NIL NIL "a" "example.org")(NIL NIL "b" "example.org")) NIL NIL NIL NIL)'
    ),
    "non-field-line": (
        '("Wed, 20 Oct 2010 20:53:35 -0400" '
        '"This is your reminder about the football game tonight" '
        f"{' '.join([one('user@example.com')] * 3)} NIL NIL NIL NIL NIL)"
    ),
    "no-empty-line": f'(NIL "only fields" {A} {A} {A} NIL NIL NIL NIL NIL)',
    "body-only": "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)",
}


@pytest.mark.parametrize("name", ENVELOPES)
def test_envelope(name: str) -> None:
    assert render(message(name)).envelope.decode() == ENVELOPES[name]


@pytest.mark.parametrize("path", sorted(MESSAGES.glob("*.eml")), ids=lambda path: path.stem)
def test_every_message_is_sound_and_understood_by_a_client(path: Path) -> None:
    content = path.read_bytes()
    checked(content)
    structure = render(content)
    # imapclient takes a response as pieces: text up to a literal, and the literal.
    for item, wire in (
        (b"ENVELOPE", structure.envelope),
        (b"BODYSTRUCTURE", structure.body_structure),
    ):
        [(_, found)] = parse_fetch_response(as_pieces(b"1 (%b %b)" % (item, wire))).items()
        assert found[item] is not None


def as_pieces(response: bytes) -> list[bytes | tuple[bytes, bytes]]:
    pieces: list[bytes | tuple[bytes, bytes]] = []
    while b"}\r\n" in response:
        head, _, rest = response.partition(b"}\r\n")
        size = int(head.rpartition(b"{")[2])
        pieces.append((head + b"}", rest[:size]))
        response = rest[size:]
    return [*pieces, response]


def test_sort_keys_ids_and_dates() -> None:
    structure = render(
        text(
            b"Date: Mon, 1 Jan 2024 00:30:00 +0100",
            b"From: =?utf-8?q?=C3=84nne?= <Aenne@example.org>",
            b"To: B.One@example.org, b2@example.org",
            b"Cc: Team: c@example.org;",
            b"Subject: Re: [list] =?utf-8?q?Gr=C3=BC=C3=9Fe?= (fwd)",
            b'Message-ID: <"one"@example.org>',
            b"References: <root@x>\r\n\t<middle@x> junk <last@x>",
            b"",
            b"",
        )
    )
    assert structure.sent_at == datetime(2023, 12, 31, 23, 30, tzinfo=UTC)
    assert structure.sent_on == date(2024, 1, 1)
    assert (structure.sort_from, structure.sort_to, structure.sort_cc) == ("aenne", "b.one", "team")
    assert structure.base_subject == "grüsse"
    assert structure.message_id == "one@example.org"
    assert structure.reference_ids == ("root@x", "middle@x", "last@x")


def test_in_reply_to_stands_in_for_references() -> None:
    assert render(b"In-Reply-To: <a@x> <b@x>\r\n\r\n").reference_ids == ("a@x",)


def test_search_text_is_decoded_and_folded() -> None:
    structure = render(message("encoded-words"))
    assert structure.subject == "grüsse aus wien"
    assert structure.sender == "jürgen müller <j@example.org>"
    assert structure.recipients == "こんにちは <k@example.org>"
    assert structure.text.splitlines() == ["привет", "tür & tor", "rechnung märz.pdf"]
    assert "\nsubject: grüsse aus wien\n" in structure.header


def nested_multiparts(depth: int) -> bytes:
    return b"From: a@b\r\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level)
        for level in range(depth)
    )


def nested_messages(depth: int) -> bytes:
    return b"Content-Type: message/rfc822\r\n\r\n" * depth + b"From: a@b\r\n\r\ntext"


def depth_of(body: Item) -> int:
    if isinstance(body[0], list):
        return 1 + max(depth_of(part) for part in body if isinstance(part, list))
    return 1 + depth_of(body[8]) if body[0] == b"message" else 0


@pytest.mark.parametrize("make", [nested_multiparts, nested_messages])
def test_nesting_beyond_the_limit_is_text(make: Callable[[int], bytes]) -> None:
    content = make(3000)
    structure = render(content)
    body = read(structure.body)
    check_body(body, extended=False)
    assert depth_of(body) == DEPTH_LIMIT
    assert find_part(structure.parts, (1,) * DEPTH_LIMIT) is not None


def test_ten_thousand_addresses() -> None:
    addresses = b",\r\n ".join(b'"User %d" <user%d@example.org>' % (n, n) for n in range(10_000))
    envelope, _ = checked(b"From: a@b\r\nTo: " + addresses + b"\r\n\r\ntext")
    assert len(envelope[5]) == ADDRESSES_LIMIT
    assert envelope[5][-1][2] == b"user%d" % (ADDRESSES_LIMIT - 1)


def test_more_parts_than_the_limit_stay_in_the_last() -> None:
    content = b"Content-Type: multipart/mixed; boundary=b\r\n" + b"\r\n--b\r\n\r\ntext" * 3000
    _, body = checked(content)
    assert len([part for part in body if isinstance(part, list)]) <= ENTITIES_LIMIT + 1
    parts = render(content).parts
    last = find_part(parts, (ENTITIES_LIMIT,))
    assert last is not None
    assert last.end == len(content)


def test_long_header_values_are_cut() -> None:
    envelope, _ = checked(b"Subject: " + b"x" * 1_000_000 + b"\r\n\r\n")
    assert 1000 < len(envelope[1]) < 100_000


def test_body_text_is_bounded() -> None:
    assert len(render(b"\r\n" + b"word " * 100_000).text) <= BODY_TEXT_LIMIT


HALF_MEGABYTE = 500_000
HOSTILE = {
    "open quotes": b'To: "' + b'\\"' * HALF_MEGABYTE,
    "brackets": b"To: " + b"<," * HALF_MEGABYTE,
    "parentheses": b"To: " + b"(" * HALF_MEGABYTE,
    "colons": b"To: x @" + b"a:" * HALF_MEGABYTE,
    "encoded words": b"Subject: " + b"=?a?q?=" * HALF_MEGABYTE,
    "replies": b"Subject: " + b"re:[a]" * HALF_MEGABYTE,
    "spaces": b"Subject:" + b" " * HALF_MEGABYTE + b"x",
    "parameters": b"Content-Type: a/b" + b';a="\\"' * HALF_MEGABYTE,
    "carriage returns": b"\r" * HALF_MEGABYTE,
    "fields": b"a:\r\n" * HALF_MEGABYTE,
    "no field": b"hello world\r\n" * 100_000,
    "boundaries": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n" * 100_000,
    "false boundaries": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    + b"--bb\r\n" * 100_000,
    "open tags": b"Content-Type: text/html\r\n\r\n" + b"<a <style <!-- " * 40_000,
    "combining marks": b"Content-Type: text/plain; charset=utf-8\r\n\r\na"
    + "\u0300\u0316".encode() * 100_000,
    "ids": b"References: " + b"<a" * HALF_MEGABYTE,
    "NULs": b"\0" * HALF_MEGABYTE,
    "odd lists in many messages": b"Content-Type: multipart/digest; boundary=b\r\n"
    + (b"\r\n--b\r\n\r\nTo: " + b"()" * 20_000 + b"\r\n\r\n") * 50,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_time_is_linear(name: str) -> None:
    """Each takes well under a second; a quadratic step would take minutes."""
    before = time.process_time()
    checked(HOSTILE[name])
    assert time.process_time() - before < 5


def test_structure_is_of_plain_values() -> None:
    structure = render(b"")
    assert isinstance(structure, Structure)
    assert (structure.subject, structure.text, structure.header) == ("", "", "")
    assert structure.sent_at is None
