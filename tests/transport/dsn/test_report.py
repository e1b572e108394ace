"""Delivery status notifications, read back by the standard library's parser."""

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.dsn.report import (
    FULL_MAXIMUM,
    Action,
    RecipientReport,
    Report,
    build_report,
    decode_xtext,
)

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
ORIGINAL = b"From: ann@us.test\r\nSubject: hello\r\n\r\nText.\r\n"


def build(
    *recipients: RecipientReport, original: bytes = ORIGINAL, ret: str = "", envid: str = ""
) -> bytes:
    return build_report(
        Report("mx.us.test", recipients, original, NOW, ret, envid),
        sender="postmaster@us.test",
        recipient="ann@us.test",
        message_id="1@us.test",
        date=NOW,
        boundary="b0",
    )


def parse(content: bytes) -> tuple[EmailMessage, list[EmailMessage]]:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message, list(message.iter_parts())  # type: ignore[arg-type]


FAILED = RecipientReport("bob@far.test", Action.FAILED, "5.1.1", "550 5.1.1 who?", "mx.far.test")


def test_the_example_of_a_failure_is_as_rfc_3464_wants_it() -> None:
    report = RecipientReport(
        "bob@far.test",
        Action.FAILED,
        "5.1.1",
        "550 5.1.1 who?",
        "mx.far.test",
        "rfc822;bob+2Bx@old.test",
        last_attempt_at=NOW,
    )
    message, (text, status, original) = parse(build(report, envid="a+3Db"))
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert message["Auto-Submitted"] == "auto-replied"
    assert "<bob@far.test>" in text.get_content()
    assert status.as_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")[2] == (
        b"Original-Envelope-Id: a=b\n"
        b"Reporting-MTA: dns; mx.us.test\n"
        b"Arrival-Date: Sun, 22 Nov 2026 10:00:00 +0000\n"
        b"\n"
        b"Original-Recipient: rfc822; bob+x@old.test\n"
        b"Final-Recipient: rfc822; bob@far.test\n"
        b"Action: failed\n"
        b"Status: 5.1.1\n"
        b"Remote-MTA: dns; mx.far.test\n"
        b"Diagnostic-Code: smtp; 550 5.1.1 who?\n"
        b"Last-Attempt-Date: Sun, 22 Nov 2026 10:00:00 +0000\n"
    )
    assert original.get_content_type() == "text/rfc822-headers"
    assert original.get_payload() == "From: ann@us.test\r\nSubject: hello\r\n"


@pytest.mark.parametrize(
    ("action", "ret", "expected"),
    [
        (Action.FAILED, "FULL", "message/rfc822"),
        (Action.FAILED, "HDRS", "text/rfc822-headers"),
        (Action.FAILED, "", "text/rfc822-headers"),
        (Action.DELAYED, "FULL", "text/rfc822-headers"),
        (Action.RELAYED, "FULL", "text/rfc822-headers"),
    ],
)
def test_what_comes_back_of_the_original(action: Action, ret: str, expected: str) -> None:
    _, parts = parse(build(RecipientReport("b@x.test", action, "5.0.0"), ret=ret))
    assert parts[2].get_content_type() == expected


def test_a_huge_original_comes_back_as_its_header() -> None:
    content = build(FAILED, original=ORIGINAL + b"x" * FULL_MAXIMUM, ret="FULL")
    assert len(content) < 10_000


def test_addresses_that_are_not_ascii_make_it_international() -> None:
    content = build(
        RecipientReport(
            "jürgen@far.test", Action.FAILED, "5.6.7", orcpt=r"utf-8;j\x{FC}rgen@far.test"
        ),
        ret="FULL",
    )
    assert b"Content-Type: message/global-delivery-status\r\n" in content
    assert b"Content-Type: message/global\r\n" in content
    assert "Final-Recipient: utf-8; jürgen@far.test\r\n".encode() in content
    assert "Original-Recipient: utf-8; jürgen@far.test\r\n".encode() in content


@given(
    st.text(max_size=300) | st.text("aé", min_size=900, max_size=1000),
    st.text(max_size=60),
    st.text(max_size=60),
)
def test_the_words_of_strangers_never_make_a_field_or_a_part(
    reply: str, orcpt: str, envid: str
) -> None:
    recipient = RecipientReport(
        "b@x.test", Action.FAILED, "5.0.0", reply, "mx.x.test", "rfc822;" + orcpt
    )
    content = build(recipient, envid=envid)
    assert content.count(b"\r\n--b0") >= 3
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    for line in content.split(b"\r\n"):
        assert len(line) <= 998
    status = content.split(b"--b0\r\n")[2].split(b"\r\n\r\n", 1)[1]
    names = [
        line.split(b":")[0] for line in status.split(b"\r\n") if line and line[:1] not in b" \t"
    ]
    allowed = {
        b"Original-Envelope-Id",
        b"Reporting-MTA",
        b"Arrival-Date",
        b"Original-Recipient",
        b"Final-Recipient",
        b"Action",
        b"Status",
        b"Remote-MTA",
        b"Diagnostic-Code",
    }
    assert set(names) <= allowed


def test_a_field_that_would_be_injected_by_xtext_is_not() -> None:
    recipient = RecipientReport("b@x.test", Action.FAILED, "5.0.0", orcpt="rfc822;a+0D+0AX: y")
    assert b"\r\nX: y" not in build(recipient)


def test_xtext() -> None:
    assert decode_xtext("a+2Bb+3Dc") == "a+b=c"
    assert decode_xtext("a+b") == "a+b"
