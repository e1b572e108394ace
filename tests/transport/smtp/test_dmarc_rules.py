"""The administrator's DMARC rules, and what is counted for reports, on port 25 over real sockets and a real DNS server."""

import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization

from routing import sender_rules
from routing.dmarc_treatment import SenderRules
from routing.models import DmarcOverride, TrustedSealer
from tests.dns_server import DnsServer
from tests.factories import unique
from tests.transport.authentication.test_signatures import KEY, public
from tests.transport.smtp.test_authenticated import ELSEWHERE, HERE, mail, publish  # noqa: F401
from tests.transport.smtp.test_judging import names
from tests.transport.smtp.test_receiving import deliver
from transport.dmarc_reports.counting import TALLIES
from transport.dmarc_reports.sending import send_reports
from transport.dns.resolver import Resolver

PEM = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.TraditionalOpenSSL,
    serialization.NoEncryption(),
)


@pytest.fixture(autouse=True)
def rules_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No rule is remembered, and none is left."""
    monkeypatch.setattr(sender_rules, "REMEMBERED_SECONDS", -1.0)
    yield
    monkeypatch.setattr(sender_rules, "_remembered", (float("-inf"), SenderRules()))


@pytest.fixture
def sealer(zones: DnsServer, publish: Callable[..., str], orm: None) -> Iterator[str]:  # noqa: F811
    """A forwarder's domain with a key; nobody trusts it yet."""
    domain = publish(HERE)
    zones.add_text(f"s._domainkey.{domain}", f"v=DKIM1; k=rsa; p={public()}")
    yield domain
    TrustedSealer.objects.filter(domain=domain).delete()


def sealed(content: bytes, sealer: str, results: str) -> bytes:
    """The message as the sealer hands it on: it saw these results, and added a footer."""
    seen = f"Authentication-Results: {sealer}; {results}\r\n".encode() + content + b"a footer\r\n"
    fields = dkim.arc_sign(seen, b"s", sealer.encode(), PEM, sealer.encode())
    return b"".join(fields) + seen


@pytest.mark.parametrize(
    ("is_trusted", "results", "folder"),
    [
        (True, "dmarc=pass header.from={}", "INBOX"),
        (False, "dmarc=pass header.from={}", "Spam"),
        (True, "dmarc=fail header.from={}", "Spam"),
        (True, "dmarc=pass header.from=other.example", "Spam"),
    ],
)
def test_a_trusted_sealer_is_believed(
    dialogue, make_user, publish, folders, sealer, is_trusted, results, folder  # noqa: F811
) -> None:  # fmt: skip
    user, author = make_user(), publish("v=spf1 -all", "p=reject")
    if is_trusted:
        TrustedSealer.objects.create(domain=sealer)
    content = sealed(mail(f"a@{author}", "Date: x"), sealer, results.format(author))
    reply = deliver(dialogue, f"bounce@{sealer}", user.address, content=content)
    assert reply.startswith("250 ")
    assert names(folders(user)) == {folder: 1}
    assert b"arc=pass" in folders(user)[folder][0]


def test_an_override_softens(dialogue, make_user, publish, folders) -> None:  # noqa: F811
    user, author, sender = make_user(), publish("v=spf1 -all", "p=reject"), publish(ELSEWHERE)
    DmarcOverride.objects.create(domain=author, policy="quarantine")
    try:
        first = deliver(dialogue, f"a@{sender}", user.address, content=mail(f"a@{author}"))
        DmarcOverride.objects.filter(domain=author).update(policy="none")
        second = deliver(dialogue, f"a@{sender}", user.address, content=mail(f"a@{author}"))
    finally:
        DmarcOverride.objects.filter(domain=author).delete()
    assert (first[:4], second[:4]) == ("250 ", "250 ")
    assert names(folders(user)) == {"Spam": 1, "INBOX": 1}


def test_a_day_of_mail_is_reported(
    dialogue, make_user, make_domain, publish, zones, database, settings  # noqa: F811
) -> None:  # fmt: skip
    reporter = make_domain().name
    settings.DMARC_REPORTS_FROM = f"dmarc@{reporter}"
    wanted = f"{unique('d')}.example"
    author = publish(HERE, f"p=reject; rua=mailto:r@{wanted}", domain=wanted)
    stranger, user = publish(ELSEWHERE), make_user()
    for _ in range(2):
        deliver(dialogue, f"a@{author}", user.address, content=mail(f"a@{author}"))
    reply = deliver(dialogue, f"a@{stranger}", user.address, content=mail(f"b@sub.{author}"))
    assert reply.startswith("550 5.7.26 ")
    TALLIES.write(database)
    look_up = Resolver([zones.address]).look_up_async
    sender = settings.DMARC_REPORTS_FROM
    send_reports(database, sender, look_up, datetime.now(UTC) + timedelta(days=1))
    [(_, content)] = database.execute(
        "SELECT r.forward_path, b.content FROM transport_queuedrecipient r"
        " JOIN transport_queuedmessage m ON m.id = r.message_id JOIN mail_blob b ON b.id = m.blob_id"
        " WHERE r.forward_path = %s",
        (f"r@{author}",),
    ).fetchall()
    attachment: Any = message_from_bytes(bytes(content)).get_payload()[1]  # type: ignore[index]
    xml = gzip.decompress(attachment.get_payload(decode=True)).decode()
    assert xml.count("<record>") == 2
    assert "<count>2</count>" in xml
    assert xml.index("<disposition>none<") < xml.index("<disposition>reject<")
    assert f"<header_from>sub.{author}</header_from>" in xml


def test_nothing_is_counted_while_reports_are_off(
    dialogue, make_user, publish, database  # noqa: F811
) -> None:  # fmt: skip
    author, user = publish(HERE, "p=none"), make_user()
    deliver(dialogue, f"a@{author}", user.address, content=mail(f"a@{author}"))
    TALLIES.write(database)
    [(rows,)] = database.execute(
        "SELECT count(*) FROM transport_dmarctally WHERE policy_domain = %s", (author,)
    ).fetchall()
    assert rows == 0
