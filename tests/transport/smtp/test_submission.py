"""Ports 587 and 465: logins, whose address is whose, and the header of what is sent."""

import base64
import re
import smtplib

import pytest

from tests.factories import PASSWORD

PLAIN_MESSAGE = b"Subject: Hello\r\n\r\nHow are you?\r\n"


def message_from(address: str, *more: str) -> bytes:
    lines = [f"From: {address}", *more]
    return ("\r\n".join(lines) + "\r\n").encode() + PLAIN_MESSAGE


def encrypted(server, port: str = "submission"):
    """A dialogue over TLS."""
    from tests.transport.smtp.conftest import Dialogue

    dialogue = server.dialogue() if port == "smtp" else None
    if dialogue is None:
        dialogue = server.dialogue(port)
    dialogue.say("EHLO x")
    assert dialogue.say("STARTTLS").startswith("220")
    return Dialogue(server.tls().wrap_socket(dialogue.connection, server_hostname="localhost"))


def plain(login: str, password: str) -> str:
    return base64.b64encode(f"\0{login}\0{password}".encode()).decode()


def test_starttls_comes_before_auth_and_auth_before_mail(server) -> None:
    dialogue = server.dialogue("submission")
    assert "AUTH" not in dialogue.say("EHLO x")
    assert dialogue.say(f"AUTH PLAIN {plain('a', 'b')}").startswith("530 5.7.0")
    assert dialogue.say("MAIL FROM:<a@b.example>").startswith("530 5.7.0")
    dialogue.close()
    dialogue = encrypted(server)
    offers = dialogue.say("EHLO x")
    assert "AUTH SCRAM-SHA-256 PLAIN LOGIN" in offers
    assert "STARTTLS" not in offers
    assert dialogue.say("MAIL FROM:<a@b.example>").startswith("530 5.7.0")
    assert dialogue.say("STARTTLS").startswith("503")
    dialogue.close()


def test_auth_plain_and_login_with_and_without_an_initial_response(server, make_user) -> None:
    user = make_user()
    name, password = (base64.b64encode(text.encode()).decode() for text in (user.address, PASSWORD))
    for lines in (
        [f"AUTH PLAIN {plain(user.address, PASSWORD)}"],
        ["AUTH PLAIN", plain(user.address, PASSWORD)],
        ["auth login", name, password],
        [f"AUTH LOGIN {name}", password],
    ):
        dialogue = encrypted(server)
        dialogue.say("EHLO x")
        replies = dialogue.say_all(*lines)
        assert [reply[:3] for reply in replies] == ["334"] * (len(lines) - 1) + ["235"]
        assert dialogue.say(lines[0]).startswith("503")
        dialogue.close()


def test_a_wrong_password_is_535_and_the_third_ends_the_session(server, make_user) -> None:
    user = make_user()
    dialogue = encrypted(server)
    dialogue.say("EHLO x")
    for _ in range(3):
        assert dialogue.say(f"AUTH PLAIN {plain(user.address, 'wrong')}").startswith("535 5.7.8")
    assert dialogue.ends()


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["AUTH"], "504 5.5.4"),
        (["AUTH CRAM-MD5"], "504 5.5.4"),
        (["AUTH PLAIN !!!"], "501 5.5.2"),
        (["AUTH PLAIN", "*"], "501"),
        (["AUTH PLAIN ="], "501 5.5.2"),
        (["AUTH PLAIN " + base64.b64encode(b"other\0a\0b").decode()], "501 5.5.2"),
        (["AUTH PLAIN", "A" * 12_300], "500 5.5.6"),
    ],
)
def test_malformed_auth(server, lines: list[str], code: str) -> None:
    dialogue = encrypted(server)
    dialogue.say("EHLO x")
    assert dialogue.say_all(*lines)[-1].startswith(code)
    assert dialogue.say("NOOP").startswith("250")
    dialogue.close()


def test_both_ports_take_mail_from_a_login(server, make_user, stored) -> None:
    user = make_user()
    with server.logged_in(user.address, PASSWORD) as client:
        client.sendmail(user.address, [user.address], message_from(user.address))
    with server.client("submissions") as client:
        client.login(user.address, PASSWORD)
        client.sendmail(user.address, [user.address], message_from(user.address, "X-Two: 2"))
    assert len(stored(user)) == 2


def refused(client: smtplib.SMTP, sender: str, recipient: str, message: bytes) -> tuple[int, str]:
    with pytest.raises((smtplib.SMTPDataError, smtplib.SMTPSenderRefused)) as caught:
        client.sendmail(sender, [recipient], message)
    return caught.value.smtp_code, caught.value.smtp_error.decode()[:5]


def test_the_reverse_path_must_be_the_logins_own(server, make_user, make_alias) -> None:
    user = make_user()
    other = make_user(domain=user.domain)
    alias = str(make_alias(user))
    with server.logged_in(user.address, PASSWORD) as client:
        for own in (user.address, alias, f"{user.username}+tag@{user.domain.name}", ""):
            assert client.sendmail(own, [other.address], message_from(alias)) == {}
        for foreign in (other.address, "a@elsewhere.example"):
            answer = refused(client, foreign, other.address, message_from(user.address))
            assert answer == (553, "5.7.1")


def test_from_and_sender_must_be_the_logins_own(server, make_user, stored) -> None:
    user = make_user()
    other = make_user(domain=user.domain)
    own = user.address
    with server.logged_in(own, PASSWORD) as client:
        for message in (
            message_from(other.address),
            message_from(own, f"Sender: {other.address}"),
            message_from(own, f"From: {own}"),
            message_from(f"{own}, {other.address}"),
            message_from(f'"{own}" <{other.address}>'),
            PLAIN_MESSAGE,
        ):
            assert refused(client, own, other.address, message) == (550, "5.7.1"), message
        assert stored(other) == []
        message = message_from(f"Me <{own.upper()}>", f"Sender: {own}")
        assert client.sendmail(own, [other.address], message) == {}


def test_an_app_sends_as_its_address_and_display_name(server, make_user, make_app, stored) -> None:
    user = make_user()
    made = make_app(domain=user.domain)
    made.app.display_name = "The Shop"
    made.app.save()
    address = made.app.address
    with server.logged_in(address, made.secret) as client:
        client.sendmail(address, [user.address], message_from(address))
        client.sendmail(address, [user.address], PLAIN_MESSAGE)
        answer = refused(client, address, user.address, message_from(user.address))
        assert answer == (550, "5.7.1")
    for message in stored(user):
        assert f"\r\nFrom: The Shop <{address}>\r\n".encode() in message


def test_a_domain_may_leave_from_of_its_apps_unchecked(server, make_user, make_app, stored) -> None:
    user = make_user()
    user.domain.validate_app_from = False
    user.domain.save()
    made = make_app(domain=user.domain)
    with server.logged_in(made.app.address, made.secret) as client:
        client.sendmail(made.app.address, [user.address], message_from("a@elsewhere.example"))
    assert b"\r\nFrom: a@elsewhere.example\r\n" in stored(user)[0]


def test_date_and_message_id_come_bcc_goes_and_the_client_is_not_named(
    server, make_user, stored
) -> None:
    user = make_user()
    secret = make_user(domain=user.domain)
    with server.logged_in(user.address, PASSWORD) as client:
        client.ehlo("secret-laptop.example")
        client.sendmail(
            user.address,
            [user.address, secret.address],
            message_from(user.address, f"Bcc: {secret.address}"),
        )
    (message,), (secret_copy,) = stored(user), stored(secret)
    header = message.partition(b"\r\n\r\n")[0].decode()
    assert "\r\nDate: " in header
    assert "\r\nMessage-ID: <" in header
    assert secret.address not in header
    assert f"Delivered-To: {secret.address}" in secret_copy.decode()
    assert "\tfor " not in header
    assert "secret-laptop" not in header
    assert "127.0.0.1" not in header
    assert "\tby mx.example.test with ESMTPSA id " in header


def test_a_user_of_a_domain_without_mail_may_not_send(server, make_domain, make_user) -> None:
    domain = make_domain()
    user = make_user(domain=domain)
    domain.mail_enabled = False
    domain.save()
    with server.logged_in(user.address, PASSWORD) as client:
        for sender in (user.address, ""):
            assert client.mail(sender)[0] == 550


def test_starttls_throws_away_what_came_before(server) -> None:
    dialogue = server.dialogue("submission")
    dialogue.say("EHLO x")
    dialogue.send(b"STARTTLS\r\nNOOP\r\nRSET\r\n")
    assert dialogue.reply().startswith("220")
    from tests.transport.smtp.conftest import Dialogue

    safe = Dialogue(server.tls().wrap_socket(dialogue.connection, server_hostname="localhost"))
    assert safe.say("VRFY x").startswith("252")
    assert safe.say("MAIL FROM:<a@b.example>").startswith("530")
    safe.close()


def test_starttls_on_25_forgets_the_greeting(server) -> None:
    dialogue = encrypted(server, "smtp")
    assert dialogue.say("MAIL FROM:<a@b.example>").startswith("503 5.5.1")
    assert "STARTTLS" not in dialogue.say("EHLO x")
    assert dialogue.say("MAIL FROM:<a@b.example>").startswith("250")
    dialogue.close()


def test_a_disabled_users_connection_ends(server, make_user) -> None:
    user = make_user()
    dialogue = encrypted(server)
    dialogue.say_all("EHLO x", f"AUTH PLAIN {plain(user.address, PASSWORD)}")
    user.is_active = False
    user.save()
    assert dialogue.reply().startswith("421 4.7.0")
    assert dialogue.ends()


def test_what_is_there_but_empty_is_made_anew(server, make_user, stored) -> None:
    user = make_user()
    with server.logged_in(user.address, PASSWORD) as client:
        for date, message_id in (("", ""), (" ", "<>"), ("\r\n ", " \r\n <>")):
            fields = [f"Date:{date}", f"Message-ID:{message_id}", "Return-Path: <a@b.example>"]
            client.sendmail(user.address, [user.address], message_from(user.address, *fields))
        kept = ["Date: Mon, 2 Nov 2026 10:00:00 +0000", "Message-ID: <x@y.example>"]
        client.sendmail(user.address, [user.address], message_from(user.address, *kept))
    *made, whole = [message.partition(b"\r\n\r\n")[0] for message in stored(user)]
    assert len(made) == 3
    for header in made:
        assert len(re.findall(rb"(?m)^Date: \w{3}, \d", header)) == 1
        assert len(re.findall(rb"(?m)^Message-ID: <\w+@", header)) == 1
        assert header.lower().count(b"\ndate:") == header.lower().count(b"\nmessage-id:") == 1
        assert b"a@b.example" not in header
    assert all(field.encode() in whole for field in kept)


def test_auth_of_mail_is_heard_and_not_used(server, make_user) -> None:
    user = make_user()
    with server.logged_in(user.address, PASSWORD) as client:
        for value, code in (("<>", 250), ("e+3Dmc2@example.com", 250), ("a+", 501), ("", 501)):
            assert client.mail(user.address, [f"AUTH={value}"])[0] == code, value
            client.rset()
    dialogue = server.dialogue()
    dialogue.say("EHLO x")
    assert dialogue.say("MAIL FROM:<a@b.example> AUTH=<>").startswith("555 5.5.4")
    dialogue.close()
