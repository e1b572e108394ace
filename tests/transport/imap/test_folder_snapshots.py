"""A SELECT of a folder that the process knows already says and shows what a process that never saw it does."""

from collections.abc import Iterator

import pytest

from tests.certificates import Certificate
from tests.transport.imap.conftest import Connect
from tests.transport.imap.dialogue import Dialogue
from tests.transport.imap.running import RunningServer

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"
APPEND = b"APPEND Box {%d+}\r\n%b" % (len(MESSAGE), MESSAGE)
DELETE_AND_EXPUNGE = (b"SELECT Box", b"STORE 2,4 +FLAGS (\\Deleted)", b"EXPUNGE")

HAPPENINGS = {
    "nothing": (),
    "new messages": (APPEND, APPEND),
    "flags": (b"SELECT Box", b"STORE 1:3 +FLAGS (\\Seen todo)", b"STORE 2 -FLAGS (\\Seen)"),
    "expunges": DELETE_AND_EXPUNGE,
    "all at once": (APPEND, *DELETE_AND_EXPUNGE, APPEND, b"STORE 1 +FLAGS (\\Flagged)"),
    "came and went": (APPEND, b"SELECT Box", b"STORE * +FLAGS (\\Deleted)", b"EXPUNGE"),
    "emptied": (b"SELECT Box", b"STORE 1:* +FLAGS (\\Deleted)", b"EXPUNGE"),
    "renamed, and another made": (b"RENAME Box Old", b"CREATE Box", APPEND),
    "deleted and made again": (b"DELETE Box", b"CREATE Box"),
    "moved into itself": (b"SELECT Box", b"MOVE 1:2 Box"),
}


@pytest.fixture
def fresh_imap(django_db_setup: None, certificate: Certificate) -> Iterator[RunningServer]:
    server = RunningServer(certificate)
    yield server
    server.stop()


def seen_by(dialogue: Dialogue) -> tuple[set[bytes], list[bytes]]:
    """What SELECT says, and each message as the client is shown it."""
    selected = dialogue.command(b"SELECT Box")
    listed = dialogue.command(b"FETCH 1:* (UID FLAGS MODSEQ)")
    dialogue.command(b"UNSELECT")
    return set(selected[:-1]), listed[:-1]


@pytest.mark.parametrize("happening", HAPPENINGS.values(), ids=HAPPENINGS)
def test_a_known_folder_is_shown_as_it_is_now(
    connect: Connect,
    other_imap: RunningServer,
    fresh_imap: RunningServer,
    happening: tuple[bytes, ...],
) -> None:
    first, other = connect(), connect(other_imap)
    first.command(b"ENABLE CONDSTORE")
    first.command(b"CREATE Box")
    for _ in range(5):
        first.command(APPEND)
    before = seen_by(first)
    watching = connect()
    watching.command(b"SELECT Box")
    for command in happening:
        assert other.command(command)[-1].split()[1] == b"OK"
    fresh = connect(fresh_imap)
    fresh.command(b"ENABLE CONDSTORE")
    expected = seen_by(fresh)
    assert seen_by(first) == expected
    assert (before == expected) == (not happening)
    if b"DELETE Box" not in happening:
        # The session that looked on shares the arrays, and was told nothing: its numbers are the old ones.
        assert b"* 5 FETCH (UID 5)\r\n" in watching.command(b"FETCH 5 (UID)")
