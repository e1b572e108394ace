"""body (RFC 5173)."""

import base64
from time import process_time

import pytest

from tests.routing.sieve.scripts import actions_of, errors_of, is_true

# §5.2; what the tests of its example see is marked there with & $ % !
NESTED = b"""\
From: Whomever
To: Someone
Date: Whenever
Subject: whatever
Content-Type: multipart/mixed; boundary=outer

This is a multi-part message in MIME format.

--outer
Content-Type: multipart/alternative; boundary=inner

This is a nested multi-part message in MIME format.

--inner
Content-Type: text/plain; charset="us-ascii"

Hello

--inner
Content-Type: text/html; charset="us-ascii"

<html><body>Hello</body></html>

--inner--

This is the end of the inner MIME multipart.

--outer
Content-Type: message/rfc822

From: Someone Else
Subject: hello request

Please say Hello

--outer--

This is the end of the outer MIME multipart.
""".replace(b"\n", b"\r\n")


def body(test: str, message: bytes, *more: str) -> bool:
    return is_true(f"body {test}", message, require=("body", *more))


@pytest.mark.parametrize(
    ("test", "answer"),
    [
        (':content "multipart" :contains "MIME"', True),
        (':content "multipart" :contains "end of the outer"', True),
        (':content "multipart" :contains "end of the inner"', True),
        (':content "multipart" :contains "nested multi-part"', True),
        (':content "multipart" :contains "--"', False),
        (':content "multipart" :contains "Hello"', False),
        (':content "multipart/mixed" :contains "nested"', False),
        (':content "text/plain" :contains "Hello"', True),
        (':content "text/plain" :contains "Please say Hello"', True),
        (':content "text/plain" :contains "<html>"', False),
        (':content "text/html" :contains "<html><body>Hello"', True),
        (':content "text" :contains "<html>"', True),
        (':content "message/rfc822" :contains "hello request"', True),
        (':content "message" :contains "From: Someone Else"', True),
        (':content "message/rfc822" :contains "Please"', False),
        (':content "" :contains "Please"', True),
        (':content ["image", "TEXT/Plain"] :contains "Please"', True),
        (':content "image" :contains ""', False),
        (':content "/plain" :contains ""', False),
        (':content "text/" :contains ""', False),
        (':content "text/plain/x" :contains ""', False),
        (':content "text/*" :contains ""', False),
        (':content "text" :contains "Content-Type"', False),
        (':raw :contains "--outer"', True),
        (':raw :contains "Subject: whatever"', False),
        (':raw :contains "Content-Type: text/html"', True),
        (':text :contains "Hello"', True),
        (':contains "<body>"', False),
        (':text :matches "*say*Hello*"', True),
        (':content "text/plain" :is "Hello\r\n"', True),
        (':content "text/plain" :count "eq" :comparator "i;ascii-numeric" "2"', True),
    ],
)
def test_the_example(test: str, answer: bool) -> None:
    assert body(test, NESTED, "relational", "comparator-i;ascii-numeric") is answer


def test_one_part_is_one_string() -> None:
    assert not body(':content "text" :matches "*Hello*say*"', NESTED)


@pytest.mark.parametrize(
    ("encoding", "octets"),
    [
        ("quoted-printable", b"F=C3=BC=\r\n=C3=9Fe"),
        ("base64", base64.encodebytes("Füße".encode())),
        ("BASE64", base64.encodebytes("Füße".encode())[:-1]),
        ("8bit", "Füße".encode()),
        ("binary", "Füße".encode()),
        ("no-such", "Füße".encode()),
    ],
)
def test_transfer_encodings_are_undone(encoding: str, octets: bytes) -> None:
    head = (
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    assert body(':contains "Füße"', head.encode() + octets)


@pytest.mark.parametrize(
    ("charset", "octets"),
    [("iso-8859-1", b"F\xfc\xdfe"), ("utf-16-le", "Füße".encode("utf-16-le")), ("x-none", "Füße".encode())],
)  # fmt: skip
def test_charsets_are_converted(charset: str, octets: bytes) -> None:
    head = f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode()
    assert body(':contains "Füße"', head + octets)


def test_a_nul_ends_nothing() -> None:
    assert body(':contains "after"', b"A: b\r\n\r\nbefore\0after")


def test_a_header_without_empty_line_has_no_body() -> None:
    for test in (':contains ""', ':raw :contains ""', ':content "" :contains ""'):
        assert not body(test, b"A: b\r\n")
        assert body(test, b"A: b\r\n\r\n")


def test_match_variables_stay() -> None:
    script = """require ["body", "variables", "fileinto"];
if header :matches "subject" "*" {}
if body :matches "*Please*" { fileinto "${1}"; }"""
    [filed] = actions_of(script, NESTED)
    assert filed.folder == "whatever"  # type: ignore[attr-defined]


def test_one_transform_at_most() -> None:
    assert [place[:2] for place in errors_of('require "body";\nif body :raw :text "a" {}')] == [
        (2, 14)
    ]


def test_a_large_body_is_decoded_once_and_bounded() -> None:
    head = (
        b"Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    message = head + base64.encodebytes(b"<p>\xfc" * 1_000_000)
    tests = "".join(f'if body :contains "x{n}" {{ stop; }}\n' for n in range(10))
    start = process_time()
    actions_of('require "body";\n' + tests, message)
    assert process_time() - start < 4
