"""Folder names at the limits, over the wire and in both spellings (RFC 3501 §5.1.3, RFC 9051 §5.1)."""

import pytest

from tests.transport.imap.conftest import Connect
from transport.imap.wire.utf7 import encode_folder_name


@pytest.mark.parametrize("name", ["n" * 1000, "ü" * 1000, "a/" * 24 + "ж" * 952])
@pytest.mark.parametrize("is_rev2", [False, True])
def test_names_of_a_thousand_characters(name: str, is_rev2: bool, connect: Connect) -> None:
    dialogue = connect()
    if is_rev2:
        dialogue.command(b"ENABLE IMAP4rev2")
    wire, other = (
        text.encode() if is_rev2 else encode_folder_name(text) for text in (name, "Z" + name[1:])
    )

    def run(command: bytes, folder: bytes) -> list[bytes]:
        answer = dialogue.command(command % (b"{%d+}\r\n%b" % (len(folder), folder)))
        assert b" OK " in answer[-1], answer
        return answer[:-1]

    run(b"CREATE %b", wire)
    (status,) = run(b"STATUS %b (MESSAGES)", wire)
    assert wire in status
    run(b"SUBSCRIBE %b", wire)
    (line,) = run(b'LIST (SUBSCRIBED) "" %b', wire)
    assert wire in line
    run(b"SELECT %b", wire)
    run(b"GETMETADATA %b /shared/comment", wire)
    dialogue.command(b"UNSELECT")
    answer = dialogue.command(
        b"RENAME {%d+}\r\n%b {%d+}\r\n%b" % (len(wire), wire, len(other), other)
    )
    assert b" OK " in answer[-1]
    run(b"DELETE %b", other)


def test_a_name_that_is_too_long_is_refused(connect: Connect) -> None:
    dialogue = connect()
    for name in (b"n" * 2601, b"a/" * 50 + b"b"):
        assert b" NO [CANNOT] " in dialogue.command(b"CREATE " + name)[-1]
        assert b" NO [NONEXISTENT] " in dialogue.command(b"SELECT " + name)[-1]
