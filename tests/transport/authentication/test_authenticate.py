"""All checks of one message: as it comes, changed, sealed, with DNS that does not answer, and with a check that breaks."""

import asyncio
import time

import dkim
import pytest
from cryptography.hazmat.primitives import serialization

from routing.evidence import Authentication, SpfEvidence
from tests.dns_server import DnsServer
from tests.transport.authentication.test_signatures import KEY, MESSAGE, public
from tests.transport.authentication.zone import Zone, text
from transport.authentication import authenticate as module
from transport.authentication.authenticate import authenticate
from transport.authentication.results_field import results_field
from transport.dns.resolver import Resolver

RECORDS = {
    "s._domainkey.example.test": {"TXT": [text(f"v=DKIM1; k=rsa; p={public()}")]},
    "_dmarc.example.test": {"TXT": ['"v=DMARC1; p=reject"']},
}
NO_SPF = SpfEvidence("none", "elsewhere.example")


def signed(content: bytes = MESSAGE) -> bytes:
    pem = KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return bytes(dkim.sign(content, b"s", b"example.test", pem)) + content


def run(content: bytes, zone: Zone, spf: SpfEvidence = NO_SPF) -> Authentication:
    return asyncio.run(authenticate(content, spf, zone))


def test_a_signed_message_passes() -> None:
    found = run(signed(), Zone(RECORDS))
    assert [one.result for one in found.dkim] == ["pass"]
    assert (found.arc.result, found.dmarc.result, found.dmarc.aligned) == (
        "none",
        "pass",
        ("dkim",),
    )


def test_a_changed_message_fails_and_its_owner_wants_it_refused() -> None:
    found = run(signed() + b"more", Zone(RECORDS))
    assert (found.dkim[0].result, found.dmarc.result, found.dmarc.policy) == ("fail", "fail", "reject")  # fmt: skip


def test_spf_alone_will_do() -> None:
    found = run(MESSAGE, Zone(RECORDS), SpfEvidence("pass", "example.test"))
    assert (found.dmarc.result, found.dmarc.aligned) == ("pass", ("spf",))


def test_over_a_dns_server_to_the_field() -> None:
    with DnsServer(RECORDS) as server:
        look_up = Resolver([server.address]).look_up_async
        found = asyncio.run(authenticate(signed(), NO_SPF, look_up))
    field = results_field("mx.test", found, sender="a@b.example", client_address="192.0.2.1")
    assert b"dmarc=pass\r\n\t header.from=example.test\r\n\t policy.dmarc=reject;" in field
    assert b"dkim=pass\r\n\t header.d=example.test\r\n\t header.s=s\r\n\t header.a=rsa-sha256" in field  # fmt: skip


@pytest.mark.parametrize("name", ["s._domainkey.example.test", "_dmarc.example.test"])
@pytest.mark.parametrize("trouble", ["silent", "broken"])
def test_dns_that_does_not_answer_is_temperror_in_time(
    name: str, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DNS_SECONDS", 0.3)
    began = time.monotonic()
    zone = Zone(RECORDS, **{trouble: [name]})  # type: ignore[arg-type]
    found = run(signed(), zone)
    assert time.monotonic() - began < 5
    assert (found.dmarc.result, found.dmarc.policy) == ("temperror", "none")


def test_200_signatures_cost_ten() -> None:
    signature = signed().removesuffix(MESSAGE)
    zone = Zone(RECORDS)
    assert len(run(signature * 200 + MESSAGE, zone).dkim) == 10
    assert len(zone.asked) < 30


def test_a_check_that_breaks_is_logged_and_fails_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def breaks(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(module, "verify_dkim", breaks)
    found = run(MESSAGE, Zone(RECORDS))
    assert (found.dmarc.result, found.dmarc.policy) == ("temperror", "none")
    assert "DKIM could not be evaluated" in caplog.text
    monkeypatch.setattr(module, "evaluate_dmarc", breaks)
    assert run(MESSAGE, Zone(RECORDS)).dmarc.result == "temperror"


@pytest.mark.parametrize("content", [b"", b"\r\n", b"\x00", b"From: \xff", b"x" * 100_000])
def test_what_is_no_message_has_no_author(content: bytes) -> None:
    assert run(content, Zone({})).dmarc.result in ("none", "permerror")
