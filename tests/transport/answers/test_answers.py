"""Messages that are written for users: nobody's words break their header, and every next hop takes them."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message as Parsed
from email.policy import SMTP
from typing import Any

import pytest

from routing.decisions import ScriptFailure
from routing.sieve.actions import Notify, Vacation
from routing.sieve.errors import ScriptError
from routing.sieve.mailto import parse_mailto
from routing.sieve.message import Message
from transport.answers.composing import text_field
from transport.answers.disposition import build_rejection
from transport.answers.failure import build_failure_notice
from transport.answers.notification import build_notification
from transport.answers.refusal import refusal_reply
from transport.answers.vacation import build_vacation

DATE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MESSAGE = Message(
    "From: Zoë <a@s.example>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
    "Message-ID: <1@s.example>\r\nReferences: <r1@s.example>\r\n <r2@s.example>\r\n\r\nText.\r\n".encode()
)
EVIL = "x\r\nBcc: victim@v.example\r\n\r\nbody\0"


def parsed(content: bytes) -> Any:
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    message: Parsed = message_from_bytes(content, policy=SMTP)
    assert not message.defects
    assert "Bcc" not in message
    return message


def vacation(action: Vacation, message: Message = MESSAGE) -> Any:
    content = build_vacation(
        action,
        message,
        sender="ann@here.example",
        recipient="a@s.example",
        message_id="m@here.example",
        date=DATE,
    )
    assert content.isascii()
    return parsed(content)


def test_a_vacation_answer() -> None:
    answer = vacation(Vacation("Ich bin weg: Größe\nbis bald", "ann@here.example"))
    assert answer["Subject"] == "Auto: Grüße"
    assert answer["From"] == "ann@here.example"
    assert answer["To"] == "a@s.example"
    assert answer["In-Reply-To"] == "<1@s.example>"
    assert answer["References"].split() == ["<r1@s.example>", "<r2@s.example>", "<1@s.example>"]
    assert answer["Auto-Submitted"] == "auto-replied (vacation)"
    assert answer.get_content() == "Ich bin weg: Größe\r\nbis bald\r\n"


def test_the_words_of_a_vacation_stay_where_they_belong() -> None:
    answer = vacation(
        Vacation(EVIL, "ann@here.example", subject=EVIL, sender=f'"{EVIL}" <ann@here.example>')
    )
    assert answer["Subject"].startswith("x Bcc: victim@v.example")
    assert answer["From"].addresses[0].addr_spec == "ann@here.example"


def test_a_long_word_in_a_subject_keeps_the_lines_short() -> None:
    field = text_field("Subject", "x" * 2000)
    assert max(map(len, field.split(b"\r\n"))) <= 78


def test_a_display_name_in_other_letters() -> None:
    answer = vacation(Vacation("away", "x", sender="Änn <ann@here.example>"))
    assert answer["From"].addresses[0].display_name == "Änn"


def test_a_mime_vacation_keeps_its_entity_and_no_other_field() -> None:
    mime = "Content-Type: multipart/alternative; boundary=foo\nBcc: victim@v.example\n\n--foo\n\nPlain\n--foo--\n"
    answer = vacation(Vacation(mime, "x", mime=True))
    assert answer.get_content_type() == "multipart/alternative"
    assert answer["MIME-Version"] == "1.0"
    assert answer.get_payload()[0].get_content().strip() == "Plain"


@pytest.mark.parametrize("reason", ["", "\n\n", "x" * 5000, "ä" * 5000, "a\rb\r\nc"])
def test_any_reason_makes_a_message(reason: str) -> None:
    for is_mime in (False, True):
        vacation(
            Vacation(
                reason if not is_mime else reason[:900], "x", mime=is_mime and len(reason) < 99
            )
        )


def test_an_answer_to_a_message_without_an_id_names_none() -> None:
    answer = vacation(Vacation("away", "x"), Message(b"From: a@s.example\r\n\r\n"))
    assert answer["Subject"] == "Automated reply"
    assert answer["In-Reply-To"] is None


def test_a_rejection() -> None:
    content = build_rejection(
        "Nein, größer",
        MESSAGE.content,
        host="mx.here.example",
        refused="alias@here.example",
        orcpt="rfc822;alias+40here.example",
        recipient="a@s.example",
        message_id="m@here.example",
        date=DATE,
        boundary="b0undary",
    )
    report = parsed(content)
    words, _, returned = report.get_payload()
    assert "Nein, größer" in words.get_content()
    for line in (
        b"Reporting-UA: mx.here.example; Mailsite\r\n",
        b"Original-Recipient: rfc822; alias@here.example\r\n",
        b"Final-Recipient: rfc822; alias@here.example\r\n",
        b"Original-Message-ID: <1@s.example>\r\n",
        b"Disposition: automatic-action/MDN-sent-automatically; deleted\r\n",
    ):
        assert line in content
    assert "Message-ID: <1@s.example>" in returned.get_payload()
    assert b"Text." not in content


@pytest.mark.parametrize(
    ("reason", "lines"),
    [
        ("No.", ["550 5.7.1 No."]),
        ("One\r\n\r\nTwo\n", ["550-5.7.1 One", "550-5.7.1 ", "550 5.7.1 Two"]),
        ("", ["550 5.7.1 the recipient's mail filter refuses this message"]),
        ("nö", ["550 5.7.1 the recipient's mail filter refuses this message"]),
        ("a\x00b\x1bc", ["550 5.7.1 a b c"]),
    ],
)
def test_a_refusal_in_the_reply(reason: str, lines: list[str]) -> None:
    assert refusal_reply(reason).split("\r\n") == lines


def test_a_long_refusal_is_cut() -> None:
    lines = refusal_reply("x" * 100_000).split("\r\n")
    assert len(lines) == 20
    assert max(map(len, lines)) < 510
    assert lines[-1].startswith("550 ")
    assert all(line.startswith("550-") for line in lines[:-1])


def test_a_notification() -> None:
    uri = parse_mailto(
        "mailto:0123456789@20.example?to=b@y.example&subject=From%20the%20URI&body=Hi%0D%0Athere"
        "&from=evil@z.example&auto-submitted=no&cc=not-an-address"
    )
    assert uri is not None
    content = build_notification(
        Notify("", message="You got mail", importance=1),
        uri,
        MESSAGE,
        owner="ann@here.example",
        message_id="m@here.example",
        date=DATE,
    )
    message = parsed(content)
    assert message["Auto-Submitted"] == 'auto-notified; owner-email="ann@here.example"'
    assert message["From"] == "ann@here.example"
    assert message["To"] == "0123456789@20.example, b@y.example"
    assert message["Subject"] == "You got mail"
    assert message["Importance"] == "high"
    assert message.get_content() == "Hi\r\nthere\r\n"
    assert [str(one) for one in uri.recipients] == ["0123456789@20.example", "b@y.example"]


def test_only_mailto_is_mail() -> None:
    assert parse_mailto("xmpp:a@b.example") is None
    uri = parse_mailto("mailto:")
    assert uri is not None
    assert uri.recipients == ()


def test_a_failure_notice_names_the_line() -> None:
    failure = ScriptFailure(
        "main\r\nBcc: x@y", b"", ScriptError(3, 7, "no such thing"), is_own=True
    )
    content = build_failure_notice(
        failure, host="mx", owner="ann@here.example", message_id="m@x", date=DATE
    )
    message = parsed(content)
    assert "failed" in message["Subject"]
    assert "line 3, column 7: no such thing" in message.get_content()
