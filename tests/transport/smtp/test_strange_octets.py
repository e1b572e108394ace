"""NUL, broken UTF-8 and control characters in all that is judged: what is noted of a message, the database can hold."""

import pytest

from tests.transport.smtp.test_authenticated import HERE, publish  # noqa: F401
from tests.transport.smtp.test_receiving import deliver
from transport.dmarc_reports.counting import TALLIES

STRANGE = [b"\0", b"\xff\xfe", b"\x1b[2J", "\u202e".encode(), b"\xed\xa0\x80", b"\\u0000"]
FIELDS = (
    b"DKIM-Signature: v=1; a=rsa-sha256; d=s%b.example; s=k%b; h=from%b; bh=AA==; b=AA%b==",
    b"DKIM-Signature: v=1; a=rsa-sha256; d=AUTHOR; s=k%b; h=from; bh=AA==; b=AA==",
    b"ARC-Seal: i=1; a=rsa-sha256; cv=none; d=s%b.example; s=k%b; b=AA==",
    b"Authentication-Results: x%b; dkim=pass header.d=s%b.example",
    b"Received: from s%b.example (s%b.example [192.0.2.1%b]) by x%b",
    b'From: "A%b" <a@AUTHOR>',
    b"Sender: <a%b@s%b.example>",
    b"Subject: x%b =?utf-8%b?q?=00=ff%b?=",
    b"List-Id: <%b>",
    b"Content-Type: text/html%b; charset=x%b; name=y%b",
)


@pytest.mark.parametrize("strange", STRANGE, ids=repr)
def test_strange_octets_are_judged_and_taken(
    dialogue, make_user, stored, settings, publish, database, strange: bytes  # noqa: F811
) -> None:  # fmt: skip
    settings.DMARC_REPORTS_FROM = "reports@mail.example.test"
    user, author = make_user(), publish(HERE, "p=none")
    lines = [one.replace(b"AUTHOR", author.encode()).replace(b"%b", strange) for one in FIELDS]
    content = b"\r\n".join(lines) + b"\r\n\r\nx" + strange + b"\r\n"
    dialogue.send(b"HELO h" + strange + b".example\r\n")
    assert dialogue.reply()[:3] in ("250", "500", "501")
    reply = deliver(dialogue, f"a@{author}", user.address, content=content)
    assert reply.startswith("250 2.0.0"), reply
    assert len(stored(user)) == 1
    TALLIES.write(database)
    count = database.execute(
        "SELECT sum(count) FROM transport_dmarctally WHERE policy_domain = %s", (author,)
    ).fetchone()
    assert count == (1,)
