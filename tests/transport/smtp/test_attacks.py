"""Attacks on port 25: each gets a clear reply or a close, and another client's mail goes through meanwhile."""

import time

import pytest

from tests.transport.smtp.test_receiving import MESSAGE, deliver

HIDDEN = [
    b"\n.\n",
    b"\r.\r",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\r\0\n.\r\n",
    b"\r\n.\r\0\n",
]


@pytest.fixture
def others_mail_passes(server, make_user):
    """Called in the midst of an attack: somebody else's message is taken at normal speed."""
    user = make_user()

    def check() -> None:
        began = time.monotonic()
        with server.client() as client:
            client.sendmail("b@other.example", [user.address], MESSAGE)
        assert time.monotonic() - began < 2

    return check


@pytest.mark.parametrize("hidden", HIDDEN)
def test_nothing_hidden_in_data_is_a_command(server, dialogue, make_user, stored, hidden) -> None:
    user = make_user()
    inner = f"MAIL FROM:<evil@s.example>\r\nRCPT TO:<{user.address}>\r\nDATA\r\ninner\r\n"
    content = b"Subject: outer\r\n\r\nouter" + hidden + inner.encode()
    assert deliver(dialogue, "a@s.example", user.address, content=content).startswith("250 2.0.0")
    assert dialogue.say("VRFY x").startswith("252")  # no reply stands between
    (message,) = stored(user)
    assert b"MAIL FROM:<evil@s.example>" in message


@pytest.mark.parametrize("size", ["9223372036854775808", "-1", "1000000000000", "0x10", "1 LAST x"])
def test_a_bdat_of_no_possible_size_ends_the_session(dialogue, size: str) -> None:
    assert dialogue.say(f"BDAT {size}")[:3] in ("501", "552")
    assert dialogue.ends()


def test_empty_chunks_and_a_chunk_that_never_comes(
    dialogue, make_user, stored, others_mail_passes
) -> None:
    user = make_user()
    dialogue.say_all("MAIL FROM:<a@s.example>", f"RCPT TO:<{user.address}>")
    dialogue.send(b"BDAT 0\r\n" * 2000)
    assert {dialogue.reply() for _ in range(2000)} == {"250 2.0.0 0 octets"}
    assert dialogue.say("DATA").startswith("503 5.5.1")
    dialogue.send(b"BDAT 900000 LAST\r\nSubject: x\r\n")
    others_mail_passes()
    dialogue.close()
    assert stored(user) == []
