"""Encoded words, charsets, dates, base subjects, folding, HTML, parameters, wire strings: tables."""

from datetime import UTC, date, datetime
from time import process_time

import pytest

from accounts.mailstore.charsets import decode_text
from accounts.mailstore.dates import parse_date
from accounts.mailstore.encoded_words import decode_base64, decode_words
from accounts.mailstore.markup import text_of_html
from accounts.mailstore.media_types import parameter_text, parse_disposition, parse_media_type
from accounts.mailstore.search_texts import fold
from accounts.mailstore.subjects import base_subject
from accounts.mailstore.wire_strings import nstring, string


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"plain", "plain"),
        (b"=?ISO-8859-1?Q?a_b=E4?=", "a bä"),
        (b"=?utf-8?B?w6Q=?= x", "ä x"),
        # RFC 2047 section 8: white space between two encoded words is not shown.
        (b"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
        (b"=?ISO-8859-1?Q?a?= b", "a b"),
        (b"=?ISO-8859-1?Q?a_?= =?ISO-8859-2?Q?_b?=", "a  b"),
        # A character split over two words, which is forbidden and common.
        (b"=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä"),
        (b"=?utf-8?b?w6Q?=", "ä"),
        (b"=?utf-8*de?q?=C3=A4?=", "ä"),
        (b"=?x-unknown?q?=C3=A4?=", "ä"),
        (b"=?iso-2022-jp?b?GyRCJDMbKEI=?=", "こ"),
        (b"=?utf-8?q?a=0Ab?=", "a b"),
        (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
        (b"=?utf-8?q?a", "=?utf-8?q?a"),
        ("ä".encode(), "ä"),
        (b"\xe4", "ä"),
    ],
)
def test_encoded_words(value: bytes, expected: str) -> None:
    assert decode_words(value) == expected


def test_many_encoded_words_take_time_by_their_number() -> None:
    # by its square, 100,000 words that are one text take more than a minute
    before = process_time()
    assert (
        len(decode_words(b"=?utf-8?q?0123456789012345678901234567890123456789?= " * 100_000))
        > 4_000_000
    )
    assert process_time() - before < 5


@pytest.mark.parametrize(
    ("octets", "charset", "expected"),
    [
        (b"\xe4\x80", "iso-8859-1", "ä€"),
        (b"\xe4", "", "ä"),
        ("ä".encode(), "us-ascii", "ä"),
        (b"\xe4", "utf-8", "\ufffd"),
        ("äaä".encode()[:-1], "", "äa\ufffd"),
        (b"\xe4", "no-such-charset", "ä"),
        ("中".encode("gbk"), "gb2312", "中"),
        (b"uryyb", "rot13", "uryyb"),
        (b"abc-", "punycode", "abc-"),
        (b"a", "x" * 100_000, "a"),
        (b"a", "\0", "a"),
        (b"a+2AA-b", "utf-7", "a\ufffdb"),  # half a character
    ],
)
def test_charsets(octets: bytes, charset: str, expected: str) -> None:
    assert decode_text(octets, charset) == expected


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"YWJj", b"abc"),
        (b"YW Jj\r\nZGVm!", b"abcdef"),
        (b"YWJjZ", b"abc"),
        (b"YWJjZA", b"abcd"),
        (b"", b""),
    ],
)
def test_base64(octets: bytes, expected: bytes) -> None:
    assert decode_base64(octets) == expected


@pytest.mark.parametrize(
    ("value", "at", "on"),
    [
        (b"Fri, 21 Nov 1997 09:55:06 -0600", (1997, 11, 21, 15, 55, 6), (1997, 11, 21)),
        (b"21 Nov 97 09:55 GMT", (1997, 11, 21, 9, 55, 0), (1997, 11, 21)),
        (b"Thu,\t13 Feb 1969 23:32:00 -0330", (1969, 2, 14, 3, 2, 0), (1969, 2, 13)),
        (b"Mon, 1 Jan 2024 00:30:00 +0100 (CET)", (2023, 12, 31, 23, 30, 0), (2024, 1, 1)),
        (b"1 January 2024 1:02:03 EST", (2024, 1, 1, 6, 2, 3), (2024, 1, 1)),
        (b"31 Dec 2016 23:59:60 +0000", (2016, 12, 31, 23, 59, 59), (2016, 12, 31)),
        (b"Sat Jan  6 12:00:00 2024", (2024, 1, 6, 12, 0, 0), (2024, 1, 6)),
        (b"Sat Jan  6 12:00:00 PST 2024", (2024, 1, 6, 20, 0, 0), (2024, 1, 6)),
        (b"6-Jan-2024 12:00:00 +0000", (2024, 1, 6, 12, 0, 0), (2024, 1, 6)),
        (b"Tue, 14 Mar 2023 10:00:00", (2023, 3, 14, 10, 0, 0), (2023, 3, 14)),
        (b"1 Jan 103 10:00:00 +0000", (2003, 1, 1, 10, 0, 0), (2003, 1, 1)),
    ],
)
def test_dates(value: bytes, at: tuple[int, ...], on: tuple[int, int, int]) -> None:
    sent = parse_date(value)
    assert sent is not None
    assert sent.at == datetime(*at, tzinfo=UTC)  # type: ignore[misc, arg-type]
    assert sent.on == date(*on)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"yesterday",
        b"31 Feb 2024 10:00:00 +0000",
        b"1 Foo 2024 10:00:00 +0000",
        b"1 Jan 0001 00:00:00 +9999",
    ],
)
def test_no_date(value: bytes) -> None:
    assert parse_date(value) is None


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("hello", "hello"),
        ("Re: hello", "hello"),
        ("RE: re:FW: fwd : hello", "hello"),
        ("Re[2]: hello", "hello"),
        ("re [list] : hello", "hello"),
        ("[list] Re: [list] hello", "hello"),
        ("[list]", "[list]"),
        ("[a] [b]", "[b]"),
        ("hello (fwd) (FWD)", "hello"),
        ("[Fwd: Re: hello]", "hello"),
        ("[fwd: [fwd: a] (fwd)]", "a"),
        ("  a   b\tc ", "a b c"),
        ("Re:", ""),
        ("regarding: x", "regarding: x"),
        ("Aw: hello", "Aw: hello"),
    ],
)
def test_base_subject(subject: str, expected: str) -> None:
    assert base_subject(subject)[0] == expected


@pytest.mark.parametrize(
    ("subject", "is_reply"),
    [
        ("hello", False),
        ("[list] hello", False),
        ("  hello ", False),
        ("Re: hello", True),
        ("[list] fw: hello", True),
        ("hello (fwd)", True),
        ("[Fwd: hello]", True),
        ("[Fwd: hello", False),
        ("regarding: hello", False),
    ],
)
def test_a_subject_says_that_it_is_a_reply_or_forward(subject: str, is_reply: bool) -> None:
    assert base_subject(subject)[1] is is_reply


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ABC", "abc"),
        ("Straße", "strasse"),
        ("A\u0308", "ä"),
        ("ﬁne", "fine"),
        ("ＡＢＣ", "abc"),
        ("a \t\r\n b", "a b"),
        (" a ", " a "),
        ("a\0b", "ab"),
        ("", ""),
    ],
)
def test_fold(text: str, expected: str) -> None:
    assert fold(text) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>Hello <b>you</b></p>", "Hello you"),
        ("a<br>b", "a b"),
        ("<style>p { x }</style>a<script>b()</script >c", "a c"),
        ("a<!-- <b> -- > -->b", "a b"),
        ("a<!-- never closed", "a<!-- never closed"),
        ("1 < 2 &amp; 3 > 2", "1 < 2 & 3 > 2"),
        ("&uuml;&#252;", "üü"),
        ("<STYLE>x</STYLE>\u0130", "i\u0307"),
    ],
)
def test_text_of_html(html: str, expected: str) -> None:
    assert text_of_html(html).split() == expected.split()


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"a/b; name=x.pdf", "x.pdf"),
        (b'a/b; name="x \\"y\\".pdf"', 'x "y".pdf'),
        (b"a/b; NAME*=utf-8'de'%C3%BC.pdf", "ü.pdf"),
        (b"a/b; name*0=long; name*1=er.pdf", "longer.pdf"),
        (b"a/b; name*1*=%BC.pdf; name*0*=utf-8''%C3", "ü.pdf"),
        (b'a/b; name="=?utf-8?q?=C3=BC?="', "ü"),
        (b"a/b; name=\xfc", "ü"),
        (b"a/b name=x", "x"),
        (b"a/b", ""),
        (b"a/b; name*=", ""),
        (b"a/b; name*=utf-8", "utf-8"),
    ],
)
def test_parameters(value: bytes, name: str) -> None:
    media_type = parse_media_type(value)
    assert media_type is not None
    assert (media_type.type, media_type.subtype) == (b"a", b"b")
    assert parameter_text(media_type.parameters, b"name") == name


@pytest.mark.parametrize(
    "value", [b"", b"text", b"text/", b"/plain", b"a b/c", b"a/b/c", b"\xfc/x"]
)
def test_no_media_type(value: bytes) -> None:
    assert parse_media_type(value) is None


def test_disposition() -> None:
    found = parse_disposition(b'ATTACHMENT; FileName="a b"')
    assert found is not None
    assert (found.kind, found.parameters) == (b"attachment", ((b"filename", b"a b"),))
    assert parse_disposition(b'; filename="a"') is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", b'""'),
        (b"a b", b'"a b"'),
        (b'a"b\\c', b'"a\\"b\\\\c"'),
        ("ü".encode(), "{2}\r\nü".encode()),
        (b"a\r\nb", b"{4}\r\na\r\nb"),
        (b"a\0\x01", b"{2}\r\na\x01"),
    ],
)
def test_wire_string(value: bytes, expected: bytes) -> None:
    assert string(value) == expected
    assert nstring(value) == expected


def test_nil() -> None:
    assert nstring(None) == b"NIL"
