"""Nobody sends as somebody else: the ways around the check of From that its parser would have to agree to."""

import smtplib
import time
from typing import Any

import pytest

from tests.factories import PASSWORD, unique
from transport.smtp.submitted_header import read_header

VICTIM = "president@elsewhere.example"


def answer(server: Any, user: Any, header: str, separator: str = "\r\n\r\n") -> tuple[int, str]:
    """What DATA with this header is answered; `ME` stands for the user's own address."""
    message = (header.replace("ME", user.address) + separator + "text\r\n").encode()
    with server.logged_in(user.address, PASSWORD) as client:
        try:
            client.sendmail(user.address, [user.address], message)
        except smtplib.SMTPDataError as error:
            return error.smtp_code, error.smtp_error.decode()[:5]
    return 250, ""


@pytest.mark.parametrize(
    "header",
    [
        "From: " + ", ".join(["ME"] * 1000) + f", {VICTIM}",
        "From: " + "ME,\r\n " * 20_000 + VICTIM,
        "From: ME\r\n" + "X: y\r\n" * 1000 + f"From: {VICTIM}",
        "From: ME\r\nX: " + "y" * 500 + "\r\n y" * 150_000 + f"\r\nFrom: {VICTIM}",
        f"From: {VICTIM} <ME>",
        f"From: {VICTIM} ME",
        f"From: <@{VICTIM}:ME>",
        f"From: <@elsewhere.example,@other.example:{VICTIM}>, ME",
        f'From: "{VICTIM}, <ME>',
        f"From: ({VICTIM}, <ME>",
        f"From: ME\r\nFrom : {VICTIM}",
        "From : ME",
        f"From: ME\r\nfRoM\t: {VICTIM}",
        f"From: ME\r\nFr\0om: {VICTIM}",
        f"From: ME\r\nno field\r\nFrom: {VICTIM}",
        f" From: {VICTIM}\r\nFrom: ME",
        f"From: ME\rFrom: {VICTIM}",
        f"From: ME\nFrom: {VICTIM}",
        f"From: ME,\r\n\t{VICTIM}",
        f"From: us: ME, {VICTIM};",
        f"From: {VICTIM}: ME;",
        f'From: "{VICTIM}"@elsewhere.example',
        f"From: ME\r\nSender: {VICTIM} <ME>",
        "From: ME\r\nSender: " + "ME,\r\n " * 20_000 + VICTIM,
        "From: =?utf-8?q?president?=@elsewhere.example",
        f"From: =?utf-8?q?ME?= <{VICTIM}>",
        "From: =?utf-8?q?<president=40elsewhere.example>?=",
        f"From: {VICTIM} (ME)",
        f"From: (<ME>) {VICTIM}",
        f"From: ME ({VICTIM}) <{VICTIM}>",
        "From: president(ME)@elsewhere.example",
        f"From: ME\0{VICTIM}",
        f"From: {VICTIM}\0",
        f"From: <{VICTIM}\0ME>",
        f"From:\r\n {VICTIM}",
        f"From: \r\n \r\n {VICTIM}\r\nX: ME",
        "From:",
        "From: undisclosed: ;",
        f"From: ;\r\nFrom: {VICTIM}",
        f"From: a: b: ME;, {VICTIM};",
        f"From: ME; {VICTIM}",
        f"From: ME {VICTIM}",
        f"From: <ME> <{VICTIM}>",
        f"From: <ME>{VICTIM}",
        f'From: "ME" {VICTIM}',
        "From: ME, president",
        "From: president",
        f"From: ME\r\nSENDER: {VICTIM}",
        f"From: ME\r\nSender: ME\r\nSender: {VICTIM}",
        f"From: ME\r\nResent-From: {VICTIM}",
        f"From: ME\r\nResent-From: ME\r\nresent-from: {VICTIM}",
        f"From: ME\r\nResent-Sender: {VICTIM}",
        f"From: ME\r\nResent-From: {VICTIM} <ME>",
        "From: М\u0415",  # Cyrillic
        "\ufeffFrom: ME",
        f"From\u00a0: {VICTIM}\r\nFrom: ME",
        f"From: ME\u2028From: {VICTIM}",
        f"From: ME\u00a0<{VICTIM}>",
        f"From: ME\x0b{VICTIM}",
    ],
)
def test_a_from_that_might_be_anothers_is_refused(server, make_user, stored, header: str) -> None:
    user = make_user()
    code, status = answer(server, user, header)
    assert (code, status) in ((550, "5.7.1"), (550, "5.6.0"), (552, "5.3.4"))
    assert stored(user) == []


@pytest.mark.parametrize(
    "header",
    [
        "From: ME <ME>",
        'From: "president@elsewhere.example" <ME>',
        "From: ME (somebody (else))",
        "From: =?utf-8?q?Ren=C3=A9e?=\r\n <ME>",
        "From: Renée <ME>",
        "From: us: ME;",
        "From: ME\r\nX: " + "y" * 900 + "\r\n y" * 1000,
        "From: ME\r\nTo: " + "a@b.example,\r\n " * 10_000 + "c@d.example",
    ],
)
def test_what_mail_programs_write_is_taken(server, make_user, stored, header: str) -> None:
    user = make_user()
    assert answer(server, user, header) == (250, "")
    assert len(stored(user)) == 1


def test_a_message_without_an_empty_line_is_taken(server, make_user, stored) -> None:
    user = make_user()
    assert answer(server, user, "From: ME\r\nSubject: x", "\r\n") == (250, "")


def test_an_internationalised_domain_is_the_same_in_both_forms(
    server, make_domain, make_user
) -> None:
    label = f"b\u00fccher{unique('d')}"
    user = make_user(domain=make_domain(f"{label}.example"))
    assert user.domain.name.startswith("xn--")
    assert answer(server, user, f"From: {user.username}@{label}.example") == (250, "")


def test_a_domain_signs_for_its_own_authors_only(
    server, make_user, make_app, make_domain, database
) -> None:
    victim = make_user()
    made = make_app(domain=make_domain())
    for domain in (made.app.domain, victim.domain):
        domain.validate_app_from = False
        domain.save()
    sender = made.app.address
    recipient = f"{unique('r')}@elsewhere.example"
    with server.logged_in(sender, made.secret) as client:
        client.sendmail(sender, [recipient], f"From: {victim.address}\r\n\r\ntext\r\n".encode())
    (prefix,) = database.execute(
        "SELECT m.prefix FROM transport_queuedmessage m JOIN transport_queuedrecipient r"
        " ON r.message_id = m.id WHERE r.forward_path = %s",
        (recipient,),
    ).fetchone()
    assert f"d={made.app.domain.name};".encode() in bytes(prefix)
    assert victim.domain.name.encode() not in bytes(prefix)


@pytest.mark.parametrize("mark", ['"\\', "(", "(\\", '"', "a@b(", "((", '("'])
def test_hostile_authors_are_judged_in_linear_time(mark: str) -> None:
    header = read_header(b"From: " + mark.encode() * (16_000 // len(mark) - 1) + b"\r\n\r\n")
    began = time.process_time()
    assert not header.has_clear_authors
    assert time.process_time() - began < 0.3


def test_letters_that_only_look_alike_are_others(server, make_user, make_domain, stored) -> None:
    name = unique("pa")
    user = make_user("pa", domain=make_domain(f"{name}.example"))
    for author in (
        f"p\u0430@{name}.example",  # Cyrillic a
        f"pa@{name.replace('a', chr(0x430), 1)}.example",
        f"pa@xn--{name}.example",
        f"pa@{name}.example.org",
        f"pa@x.{name}.example",
        f"pa@{name}\u3002evil.example",
        f"pa%{name}.example@evil.example",
        f"p\u200da@{name}.example",
        f"pa\u0301@{name}.example",
        f"pa @evil.example, pa@{name}.example",
        f"pa@[{name}.example]",
        f"pa.@{name}.example",
    ):
        code, _ = answer(server, user, f"From: {author}")
        assert code == 550, author
    assert stored(user) == []


@pytest.mark.parametrize("header", ["From: {}", "From: Me <{}>", "From: a@b.example, {}"])
def test_an_app_of_a_domain_that_leaves_from_unchecked_names_nobody_of_one_that_checks(
    server, make_user, make_app, stored, header: str
) -> None:
    victim = make_user()
    made = make_app()
    made.app.domain.validate_app_from = False
    made.app.domain.save()
    app, colleague = made.app, make_user(domain=made.app.domain)
    with server.logged_in(app.address, made.secret) as client:
        for author, code in (
            (victim.address, 550),
            (victim.address.upper(), 550),
            (f'"{victim.username}"@{victim.domain.name}', 550),
            (f"nobody@{victim.domain.name}.", 550),
            (colleague.address, 250),
            ("somebody@elsewhere.example", 250),
        ):
            message = f"{header.format(author)}\r\nSubject: x\r\n\r\ntext\r\n".encode()
            assert said(client, app.address, victim.address, message) == code, author
        for author in (
            f"From: a@b.example\r\nSender: {victim.address}",
            f"From: {victim.address} <a@b.example>",
        ):
            message = f"{author}\r\n\r\ntext\r\n".encode()
            assert said(client, app.address, victim.address, message) == 550
        for forged in ("From: a@b.example\r\nFrom: c@d.example", "From: root", "From: ;"):
            assert (
                said(client, app.address, victim.address, f"{forged}\r\n\r\nx\r\n".encode()) == 550
            )
        # whatever it writes there, bounces come back to itself
        assert client.mail("somebody@elsewhere.example")[0] == 553
    assert len(stored(victim)) == 2


def test_who_leaves_apps_unchecked_still_checks_its_users(server, make_user) -> None:
    user = make_user()
    user.domain.validate_app_from = False
    user.domain.save()
    assert answer(server, user, f"From: {VICTIM}") == (550, "5.7.1")


def test_a_login_writes_no_results_of_ours(server, make_user, stored) -> None:
    user = make_user()
    forged = "Authentication-Results: mx.example.test; dkim=pass header.d=bank.example"
    other = "Authentication-Results: mx.elsewhere.example; spf=pass"
    assert answer(server, user, f"{forged}\r\nFrom: ME\r\n{other}") == (250, "")
    [message] = stored(user)
    assert b"bank.example" not in message
    assert other.encode() in message


def said(client: smtplib.SMTP, sender: str, recipient: str, message: bytes) -> int:
    """The code that DATA ends with."""
    try:
        client.sendmail(sender, [recipient], message)
    except smtplib.SMTPDataError as error:
        return error.smtp_code
    return 250
