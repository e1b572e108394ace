"""SEARCH, SORT and THREAD among other sessions, and asked for what is too much."""

import pytest

from tests.transport.imap.conftest import Connect
from tests.transport.imap.dialogue import Dialogue
from transport.imap import searching


def mail(number: int, references: str = "") -> bytes:
    named = f"References: <{references}@x>\r\n" if references else ""
    header = f"Message-ID: <{number}@x>\r\n{named}From: a{number}@x\r\nSubject: s{number}\r\n"
    return f"{header}\r\nbody {number}\r\n".encode()


def lines(responses: list[bytes]) -> list[str]:
    return [response.decode().removesuffix("\r\n") for response in responses]


@pytest.fixture
def two(connect: Connect) -> tuple[Dialogue, Dialogue]:
    """Two sessions on a folder of five messages."""
    one, other = connect(), connect()
    for number in range(1, 6):
        one.append("INBOX", mail(number, str(number - 1) if number > 1 else ""))
    for session in (one, other):
        session.command(b"SELECT INBOX")
    return one, other


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"SEARCH ALL", "* SEARCH 1 3 4 5"),
        (b"SEARCH NOT FLAGGED", "* SEARCH 1 3 4 5"),
        (b"SEARCH SUBJECT s", "* SEARCH 1 3 4 5"),
        (b"SEARCH OR FLAGGED SUBJECT s", "* SEARCH 1 3 4 5"),
        (b"SORT (REVERSE SUBJECT) UTF-8 ALL", "* SORT 5 4 3 1"),
        (b"THREAD REFERENCES UTF-8 ALL", "* THREAD (1)(3 4 5)"),
        (b"THREAD ORDEREDSUBJECT UTF-8 SUBJECT s", "* THREAD (1)(3)(4)(5)"),
    ],
)
def test_numbers_stand_still_while_they_are_asked_for(
    two: tuple[Dialogue, Dialogue], command: bytes, answer: str
) -> None:
    """What another session expunged is not found, and keeps its number (RFC 9051 §7.5.1, RFC 5256 §3)."""
    one, other = two
    other.command(b"UID STORE 2 +FLAGS.SILENT (\\Deleted)")
    other.command(b"EXPUNGE")
    told = lines(one.command(command))
    assert answer in told
    assert not any("EXPUNGE" in line for line in told)
    assert "* 2 EXPUNGE" in lines(one.command(b"NOOP"))


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"UID SEARCH ALL", "* SEARCH 1 3 4 5"),
        (b"UID SORT (SUBJECT) UTF-8 ALL", "* SORT 1 3 4 5"),
        (b"UID THREAD REFERENCES UTF-8 ALL", "* THREAD (1)(3 4 5)"),
    ],
)
def test_by_uid_expunges_may_be_told(
    two: tuple[Dialogue, Dialogue], command: bytes, answer: str
) -> None:
    one, other = two
    other.command(b"UID STORE 2 +FLAGS.SILENT (\\Deleted)")
    other.command(b"EXPUNGE")
    told = lines(one.command(command))
    assert answer in told
    assert "* 2 EXPUNGE" in told


def test_what_is_saved_follows_what_another_session_expunges(
    two: tuple[Dialogue, Dialogue],
) -> None:
    one, other = two
    one.command(b"SEARCH RETURN (SAVE) 2:4")
    other.command(b"UID STORE 3 +FLAGS.SILENT (\\Deleted)")
    other.command(b"EXPUNGE")
    assert "* SEARCH 2 4" in lines(one.command(b"UID SEARCH $"))
    assert "* SEARCH 2 3" in lines(one.command(b"SEARCH $"))
    one.command(b"SELECT INBOX")
    assert "* SEARCH" in lines(one.command(b"SEARCH $"))


@pytest.mark.parametrize("at_once", [0, searching.AT_ONCE])
def test_flags_of_another_session_are_searched(
    two: tuple[Dialogue, Dialogue], monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """In a thread aside, as in a large folder, and without one."""
    monkeypatch.setattr(searching, "AT_ONCE", at_once)
    one, other = two
    other.command(b"STORE 2,4 +FLAGS (\\Flagged work)")
    assert "* SEARCH 2 4" in lines(one.command(b"SEARCH FLAGGED KEYWORD WORK"))
    assert "* SEARCH 4" in lines(one.command(b"SEARCH FLAGGED BODY 4"))
    assert "* SEARCH 1 2 4" in lines(one.command(b"SEARCH OR (KEYWORD work) FROM a1"))
    assert "* SEARCH 1 3 5" in lines(one.command(b"SEARCH NOT (FLAGGED SUBJECT s)"))


@pytest.mark.parametrize(
    ("command", "condition"),
    [
        (b"SEARCH " + b"(" * 99 + b"ALL" + b")" * 99, b"OK"),
        (b"SEARCH " + b"(" * 20_000 + b"ALL" + b")" * 20_000, b"BAD"),
        (b"SEARCH " + b"NOT " * 15_000 + b"ALL", b"BAD"),
        (b"SEARCH " + b"FUZZY " * 9_000 + b"ALL", b"BAD"),
        (b"SEARCH " + b"OR ALL " * 9_000 + b"ALL", b"BAD"),
        (b"SEARCH " + b"TEXT x " * 1_900, b"OK"),
        (b"SEARCH " + b"ALL " * 9_000 + b"ALL", b"BAD"),
        (b"SEARCH SUBJECT " + b"%_\\" * 20_000, b"BAD"),
        (b'SEARCH SUBJECT "' + b"%_" * 25_000 + b'"', b"OK"),
        (b'SEARCH HEADER "(((" "' + b"[" * 20_000 + b'"', b"OK"),
        (b'SEARCH FUZZY TEXT "' + b" ".join([b"abcdefghijklmnop" * 2] * 8) + b'"', b"OK"),
        (b'SEARCH FUZZY TEXT "' + b"a" * 60_000 + b'"', b"OK"),
        (b'SEARCH FUZZY TEXT "' + b"a " * 30_000 + b'"', b"OK"),
        (b"SORT (" + b" ".join([b"DATE"] * 5_000) + b") UTF-8 ALL", b"BAD"),
        (b"SEARCH RETURN (" + b" ".join([b"ALL"] * 9_000) + b") ALL", b"OK"),
    ],
    ids=lambda value: value[:24].decode() if isinstance(value, bytes) else None,
)
def test_too_much_meets_a_bound(
    two: tuple[Dialogue, Dialogue], command: bytes, condition: bytes
) -> None:
    one, _ = two
    assert one.command(command)[-1].split()[1] == condition
    assert b" OK " in one.command(b"NOOP")[-1]
