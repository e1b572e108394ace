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


@pytest.mark.parametrize(
    "header",
    [b"".join(b"X-%d: y\r\n" % n for n in range(100_000)), b"X: " + b"y" * 10_000_000 + b"\r\n"],
    ids=["100,000 fields", "one field of 10 MB"],
)
def test_a_header_bomb_is_552(dialogue, make_user, stored, others_mail_passes, header) -> None:
    user = make_user()
    dialogue.say_all("MAIL FROM:<a@s.example>", f"RCPT TO:<{user.address}>", "DATA")
    dialogue.send(header)
    others_mail_passes()
    assert dialogue.say("\r\n.").startswith("552 5.3.4")
    assert stored(user) == []


def test_mime_nested_10_000_deep_is_taken(dialogue, make_user, stored, others_mail_passes) -> None:
    user = make_user()
    part = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
    content = b"From: a@s.example\r\n" + b"".join(part % (n, n) for n in range(10_000))
    began = time.monotonic()
    reply = deliver(dialogue, "a@s.example", user.address, content=content)
    assert reply.startswith("250 2.0.0")
    assert time.monotonic() - began < 3
    assert len(stored(user)) == 1
    others_mail_passes()


def test_half_open_and_slow_connections_hinder_nobody(server, others_mail_passes) -> None:
    opened = [server.dialogue() for _ in range(200)]
    for one in opened:
        one.send(b"EHL")
    others_mail_passes()
    for one in opened:
        one.close()


def test_50_000_recipients_are_1000_and_refusals(
    server, dialogue, make_user, others_mail_passes
) -> None:
    user = make_user()
    line = f"RCPT TO:<{user.address}>\r\n".encode()
    assert dialogue.say("MAIL FROM:<a@s.example>").startswith("250")
    replies = []
    for batch in range(50):
        dialogue.send(line * 1000)
        replies += [dialogue.reply()[:9] for _ in range(1000)]
        if batch == 25:
            others_mail_passes()
    assert replies == ["250 2.1.5"] * 1000 + ["452 4.5.3"] * 49_000
    assert dialogue.say("RSET").startswith("250")
