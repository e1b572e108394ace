"""What port 25 refuses, with its codes."""

import smtplib
import time
from collections.abc import Callable

import pytest

from tests.transport.smtp.test_receiving import MESSAGE, deliver


@pytest.fixture
def begun(dialogue):
    assert dialogue.say("MAIL FROM:<a@sender.example>").startswith("250 2.1.0")
    return dialogue


def test_an_unknown_recipient_is_550_5_1_1(begun, make_domain) -> None:
    domain = make_domain()
    assert begun.say(f"RCPT TO:<nobody@{domain.name}>").startswith("550 5.1.1 ")


def test_a_disabled_user_is_550_5_2_1_and_never_the_catch_all(begun, make_user, orm) -> None:
    user = make_user()
    other = make_user(domain=user.domain)
    user.domain.catch_all.add(other.mailbox)
    user.is_active = False
    user.save()
    assert begun.say(f"RCPT TO:<{user.address}>").startswith("550 5.2.1 ")
    assert begun.say(f"RCPT TO:<else@{user.domain.name}>").startswith("250 2.1.5 ")


def test_a_full_mailbox_is_452_4_2_2(begun, make_user) -> None:
    user = make_user(quota_bytes=0)
    assert begun.say(f"RCPT TO:<{user.address}>").startswith("452 4.2.2 ")


def test_a_full_mailbox_is_552_where_the_domain_wants_it(begun, make_user, database) -> None:
    user = make_user(quota_bytes=0)
    database.execute(
        "UPDATE accounts_domain SET refuse_when_full = true WHERE id = %s", (user.domain.pk,)
    )
    assert begun.say(f"RCPT TO:<{user.address}>").startswith("552 5.2.2 ")


def test_a_declared_size_without_room_is_refused_at_rcpt(dialogue, make_user) -> None:
    user = make_user(quota_bytes=50_000)
    assert dialogue.say("MAIL FROM:<a@s.example> SIZE=50001").startswith("250")
    assert dialogue.say(f"RCPT TO:<{user.address}>").startswith("452 4.2.2 ")
    assert dialogue.say("RSET").startswith("250")
    assert dialogue.say("MAIL FROM:<a@s.example> SIZE=40000").startswith("250")
    assert dialogue.say(f"RCPT TO:<{user.address}>").startswith("250 ")


def test_nobody_relays(begun, make_domain) -> None:
    assert begun.say("RCPT TO:<a@elsewhere.example>").startswith("550 5.7.1 ")
    domain = make_domain(mail_enabled=False)
    assert begun.say(f"RCPT TO:<a@{domain.name}>").startswith("550 5.7.1 ")
    assert begun.say("RCPT TO:<a@[127.0.0.1]>").startswith("550 5.7.1 ")


def test_a_declared_size_that_is_too_large_is_552_at_mail(dialogue) -> None:
    assert dialogue.say("MAIL FROM:<a@s.example> SIZE=1000001").startswith("552 5.3.4 ")
    assert dialogue.say("MAIL FROM:<a@s.example> SIZE=1000000").startswith("250 2.1.0 ")


def test_a_message_that_is_too_large_is_552_after_data(dialogue, make_user, stored) -> None:
    user = make_user()
    content = b"Subject: x\r\n\r\n" + b"y" * 999_990 + b"\r\n"
    assert deliver(dialogue, "a@s.example", user.address, content=content).startswith("552 5.3.4 ")
    assert stored(user) == []
    assert deliver(dialogue, "a@s.example", user.address).startswith("250")


def test_more_than_50_received_fields_are_554_5_4_6(dialogue, make_user, stored) -> None:
    user = make_user()
    for count, code in ((51, "554 5.4.6 "), (50, "250 2.0.0 ")):
        content = b"Received: from x\r\n" * count + MESSAGE
        assert deliver(dialogue, "a@s.example", user.address, content=content).startswith(code)
    assert len(stored(user)) == 1


def test_a_header_that_would_continue_our_received_field_is_refused(
    dialogue, make_user, stored
) -> None:
    user = make_user()
    for begin in (b" ", b"\t"):
        reply = deliver(dialogue, "a@s.example", user.address, content=begin + MESSAGE)
        assert reply.startswith("550 5.6.0 ")
    assert stored(user) == []


def test_auth_is_neither_offered_nor_accepted_on_25(server) -> None:
    with server.client() as client:
        client.starttls(context=server.tls())
        client.ehlo()
        assert not client.has_extn("auth")
        assert client.docmd("AUTH", "PLAIN AGEAYg==")[0] == 502
        assert b"AUTH" not in client.docmd("HELP")[1]


def test_a_local_reverse_path_is_refused(dialogue, make_user) -> None:
    user = make_user()
    assert dialogue.say(f"MAIL FROM:<{user.address}>").startswith("550 5.7.1 ")
    assert dialogue.say(f"MAIL FROM:<who@{user.domain.name}>").startswith("550 5.7.1 ")


def test_a_domain_without_mail_is_no_local_one(dialogue, make_domain) -> None:
    domain = make_domain(mail_enabled=False)
    assert dialogue.say(f"MAIL FROM:<a@{domain.name}>").startswith("250 2.1.0 ")


def test_an_allowed_client_may_use_a_local_reverse_path(server, make_user, database) -> None:
    user = make_user()
    database.execute(
        "INSERT INTO transport_allowedclient (network, note) VALUES ('127.0.0.0/8', '')"
    )
    try:
        dialogue = server.dialogue()
        dialogue.say("EHLO x")
        assert deliver(dialogue, user.address, user.address).startswith("250 2.0.0")
        assert dialogue.say("MAIL FROM:<a@s.example>").startswith("250")
        assert dialogue.say("RCPT TO:<a@elsewhere.example>").startswith("550 5.7.1 ")
        dialogue.close()
    finally:
        database.execute("DELETE FROM transport_allowedclient WHERE network = '127.0.0.0/8'")


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["RCPT TO:<a@b.example>"], "503 5.5.1"),
        (["DATA"], "503 5.5.1"),
        (["MAIL FROM:<a@b.example>", "DATA"], "503 5.5.1"),
        (["MAIL FROM:<a@b.example>", "MAIL FROM:<a@b.example>"], "503 5.5.1"),
        (["MAIL FROM:<a@b.example>", "RSET", "DATA"], "503 5.5.1"),
        (["MAIL FROM:<a@b.example>", "EHLO x", "DATA"], "503 5.5.1"),
        (["MAIL FROM:<a>"], "501 5.1.3"),
        (["MAIL FROM:a@b.example"], "501 5.5.4"),
        (["MAIL FROM:<a@b.example> HOLDFOR=9"], "555 5.5.4"),
        (["MAIL FROM:<a@b.example> BODY=BINARYMIME"], "501 5.5.4"),
        (["MAIL FROM:<é@b.example>"], "553 5.6.7"),
        (["FROBNICATE"], "500 5.5.2"),
        (["EXPN list"], "502 5.5.1"),
        (["VRFY somebody"], "252 2.1.5"),
        (["VRFY"], "501 5.5.4"),
        (["HELP"], "214 2.0.0"),
        (["NOOP anything"], "250 2.0.0"),
        (["RSET now"], "501 5.5.4"),
        (["QUIT now"], "501 5.5.4"),
        (["EHLO"], "501 5.5.4"),
        (["x" * 13_000], "500 5.5.6"),
        (["NOOP a\rb"], "500 5.5.2"),
    ],
)
def test_commands_out_of_order_or_shape(dialogue, lines: list[str], code: str) -> None:
    assert dialogue.say_all(*lines)[-1].startswith(code)
    assert dialogue.say("NOOP").startswith("250")


def test_mail_before_ehlo_is_503(server) -> None:
    dialogue = server.dialogue()
    assert dialogue.say("MAIL FROM:<a@b.example>").startswith("503 5.5.1")
    dialogue.close()


def test_after_helo_there_are_no_parameters(server) -> None:
    dialogue = server.dialogue()
    assert dialogue.say("HELO x") == "250 mx.example.test"
    assert dialogue.say("MAIL FROM:<a@b.example> SIZE=1").startswith("555 5.5.4")
    assert dialogue.say("MAIL FROM:<a@b.example>").startswith("250")
    dialogue.close()


def test_too_many_errors_end_the_session(dialogue) -> None:
    replies = [dialogue.say("NONSENSE") for _ in range(10)]
    assert {reply[:3] for reply in replies[:-1]} == {"500"}
    assert replies[-1].startswith("421 4.7.0")
    assert dialogue.ends()


def test_guessing_addresses_ends_the_session(begun, make_domain) -> None:
    name = make_domain().name
    replies = [begun.say(f"RCPT TO:<u{number}@{name}>") for number in range(50)]
    assert {reply[:3] for reply in replies[:-1]} == {"550"}
    assert replies[-1].startswith("421 4.7.0")
    assert begun.ends()


def test_a_browser_is_hung_up_on(server) -> None:
    dialogue = server.dialogue()
    dialogue.send(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert dialogue.ends()


def test_a_thousand_recipients_and_no_more(server, make_user, monkeypatch) -> None:
    monkeypatch.setattr("transport.smtp.server.RECIPIENTS_MAXIMUM", 3)
    user = make_user()
    dialogue = server.dialogue()
    dialogue.say_all("EHLO x", "MAIL FROM:<a@b.example>")
    tags = [f"RCPT TO:<{user.username}+{tag}@{user.domain.name}>" for tag in range(4)]
    assert [reply[:9] for reply in dialogue.say_all(*tags)] == ["250 2.1.5"] * 3 + ["452 4.5.3"]
    dialogue.close()


def test_connections_from_one_address_are_bounded(run_server: Callable) -> None:
    from transport.connection_limits import ConnectionLimits

    limited = run_server(limits=ConnectionLimits(total=2))
    first, second = limited.dialogue(), limited.dialogue()
    import socket

    from tests.transport.smtp.conftest import Dialogue

    third = Dialogue(socket.create_connection(("127.0.0.1", limited.ports["smtp"]), timeout=20))
    assert third.reply().startswith("421 4.7.0")
    assert third.ends()
    assert first.say("QUIT").startswith("221")
    assert first.ends()
    limited.dialogue().close()
    second.close()


def test_a_refusal_is_traced(begun, make_domain, database) -> None:
    address = f"nobody@{make_domain().name}"
    begun.say(f"RCPT TO:<{address}>")
    deadline = time.monotonic() + 10
    rows = []
    while not rows:  # it is written after the reply
        assert time.monotonic() < deadline
        rows = database.execute(
            "SELECT step, result, reason, sender, detail ->> 'client' FROM trace_event"
            " WHERE recipient = %s",
            (address,),
        ).fetchall()
    assert rows == [
        ("rcpt", "refused", "550 5.1.1 there is no such address", "a@sender.example", "127.0.0.1")
    ]


def test_a_header_without_end_is_552(run_server, make_user, stored) -> None:
    server = run_server(size_maximum=3_000_000)
    user = make_user()
    with server.client() as client:
        with pytest.raises(smtplib.SMTPDataError) as caught:
            client.sendmail("a@s.example", [user.address], b"X: y\r\n" * 200_000)
        assert caught.value.smtp_code == 552
        long_body = b"X: y\r\n\r\n" + b"X: y\r\n" * 200_000
        client.sendmail("a@s.example", [user.address], long_body)
    assert len(stored(user)) == 1
