"""Commands, strings and answers: what is written is read again, and nothing but SyntaxBroken is raised."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.managesieve.wire.commands import (
    COMMANDS,
    Command,
    SyntaxBroken,
    is_http,
    parse_command,
    parse_response,
)
from transport.managesieve.wire.responses import answer, capability, literal, string


def ours(value: bytes) -> bytes:
    """A string as a client writes it."""
    written = string(value)
    return written.replace(b"}\r\n", b"+}\r\n", 1) if written.startswith(b"{") else written


@given(st.binary(max_size=1100))
def test_strings_are_read_as_they_were_written(value: bytes) -> None:
    assert parse_response(ours(value)) == value
    assert parse_command(b"noop " + ours(value)) == Command("NOOP", (value,))
    assert parse_command(b"RENAMESCRIPT " + ours(value) + b" " + ours(b"x")) == Command(
        "RENAMESCRIPT", (value, b"x")
    )


@given(st.one_of(st.binary(), st.sampled_from(sorted(COMMANDS)).map(str.encode)), st.binary())
def test_nothing_but_its_own_error_is_raised(name: bytes, rest: bytes) -> None:
    for octets in (name + rest, name + b" " + rest, name + b' "' + rest + b'" ' + rest):
        with contextlib.suppress(SyntaxBroken):
            parse_command(octets)
        with contextlib.suppress(SyntaxBroken):
            parse_response(octets)


@pytest.mark.parametrize(
    ("octets", "command"),
    [
        (b"logout", Command("LOGOUT")),
        (b"LogOut  ", Command("LOGOUT")),
        (b"NOOP", Command("NOOP")),
        (b'NOOP ""', Command("NOOP", (b"",))),
        (b"NOOP ", Command("NOOP")),
        (b'HAVESPACE "a" 0', Command("HAVESPACE", (b"a",), 0)),
        (b'HAVESPACE  "a"  4294967295', Command("HAVESPACE", (b"a",), 4294967295)),
        (b'AUTHENTICATE "PLAIN"', Command("AUTHENTICATE", (b"PLAIN",))),
        (b'AUTHENTICATE "PLAIN" {0+}\r\n', Command("AUTHENTICATE", (b"PLAIN", b""))),
        (b'SETACTIVE "a\\"b\\\\"', Command("SETACTIVE", (b'a"b\\',))),
        (b'PUTSCRIPT "a" {4+}\nkeep', Command("PUTSCRIPT", (b"a", b"keep"))),
    ],
)
def test_commands(octets: bytes, command: Command) -> None:
    assert parse_command(octets) == command


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b" NOOP",
        b"XNOOP",
        b'"NOOP"',
        b"NOOP x",
        b'NOOP"x"',
        b'NOOP "x" "y"',
        b'NOOP "x',
        b'NOOP "\\x"',
        b'NOOP "\x00"',
        b"LOGOUT 1",
        b"SETACTIVE",
        b'HAVESPACE "a"',
        b'HAVESPACE "a" -1',
        b'HAVESPACE "a" 007',
        b'HAVESPACE "a" 4294967296',
        b'HAVESPACE "a" 1x',
        b'HAVESPACE 1 "a"',
        b'PUTSCRIPT "a" {5+}\r\nkeep',
        b"A" * 2000,
    ],
)
def test_what_is_no_command(octets: bytes) -> None:
    with pytest.raises(SyntaxBroken):
        parse_command(octets)


def test_strings_that_cannot_be_quoted_are_literals() -> None:
    assert string(b'a"\\') == b'"a\\"\\\\"'
    assert string(b"a\r\nb") == b"{4}\r\na\r\nb"
    assert string(b"\0") == b"{1}\r\n\0"
    assert string(b"x" * 1024).startswith(b'"')
    assert string(b"x" * 1025).startswith(b"{1025}")
    assert string(b'"' * 600).startswith(b"{600}")
    assert literal(b"") == b"{0}\r\n"


def test_answers() -> None:
    assert answer("OK") == b"OK\r\n"
    assert answer("NO", "ä", b"QUOTA/MAXSIZE") == 'NO (QUOTA/MAXSIZE) "ä"\r\n'.encode()
    assert answer("NO", "a\r\nb") == b"NO {4}\r\na\r\nb\r\n"
    assert capability("SASL", "") == b'"SASL" ""\r\n'
    assert capability("STARTTLS") == b'"STARTTLS"\r\n'


def test_browsers_are_known() -> None:
    assert is_http(b"GET / HTTP/1.1")
    assert is_http(b"POST /x?y HTTP/2")
    assert not is_http(b'GETSCRIPT "x"')
