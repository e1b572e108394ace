"""DANE over a real DNS server and peers with certificates: found, matched, refused, put off."""

import dataclasses
import hashlib
import ssl
from collections.abc import Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.certificates import Certificate
from tests.dns_server import DnsServer
from tests.smtp_peer import SmtpPeer
from tests.transport.outbound.conftest import make_outside
from tests.transport.outbound.test_delivery import send
from transport.outbound.delivery import Attempt, Outside
from transport.outbound.mta_sts import Mode, StsPolicy
from transport.queue.outcomes import Result

WRONG = "3 1 1 " + "00" * 32


@pytest.fixture
def tls_peer(dns: DnsServer, certificate: Certificate) -> Iterator[SmtpPeer]:
    dns.is_validating = True
    with SmtpPeer(certificate=certificate) as peer:
        dns.add("example.test", "MX", "10 mx.example.test.")
        dns.add("mx.example.test", "A", peer.host)
        yield peer


@pytest.fixture
def trusting(dns: DnsServer, tls_peer: SmtpPeer) -> Outside:
    """Its resolver is marked as trusted."""
    return dataclasses.replace(make_outside(dns, tls_peer.port), trusts_dns=True)


def publish(dns: DnsServer, peer: SmtpPeer, *records: str) -> None:
    dns.add(f"_{peer.port}._tcp.mx.example.test", "TLSA", *records)


def record(certificate: Certificate, selector: int, matching: int) -> str:
    der = ssl.PEM_cert_to_DER_cert(certificate.cert_file.read_text())
    if selector:
        key = x509.load_der_x509_certificate(der).public_key()
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    data = {0: der, 1: hashlib.sha256(der).digest(), 2: hashlib.sha512(der).digest()}[matching]
    return f"3 {selector} {matching} {data.hex()}"


def outcome(attempt: Attempt) -> tuple[Result, bool]:
    return attempt.outcomes[1].result, attempt.tls.is_verified


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_a_certificate_that_a_record_names_is_verified(
    selector: int,
    matching: int,
    trusting: Outside,
    dns: DnsServer,
    tls_peer: SmtpPeer,
    certificate: Certificate,
) -> None:
    publish(dns, tls_peer, WRONG, record(certificate, selector, matching))
    assert outcome(send(trusting)) == (Result.DELIVERED, True)
    assert tls_peer.wait_for_messages(1)[0].is_tls


def test_another_certificate_gets_nothing(
    trusting: Outside, dns: DnsServer, tls_peer: SmtpPeer
) -> None:
    publish(dns, tls_peer, WRONG)
    assert outcome(send(trusting))[0] is Result.TEMPORARY
    assert not any(command.startswith("MAIL") for command in tls_peer.commands)
    assert tls_peer.connections == 1  # no second try in the clear


@pytest.mark.parametrize("data", [WRONG, "2 0 1 " + "00" * 32])
def test_nothing_goes_in_the_clear_where_there_are_records(
    data: str, trusting: Outside, dns: DnsServer
) -> None:
    with SmtpPeer() as stripped:
        publish(dns, stripped, data)
        attempt = send(dataclasses.replace(trusting, mx_port=stripped.port))
        assert attempt.outcomes[1].status == "4.7.10"
        assert stripped.messages == []


@pytest.mark.parametrize(
    "data", ["3 1 9 00", "2 0 1 " + "00" * 32, "1 1 1 " + "00" * 32, "3 9 1 " + "00" * 32]
)
def test_unusable_records_ask_for_tls_that_is_not_authenticated(
    data: str, trusting: Outside, dns: DnsServer, tls_peer: SmtpPeer
) -> None:
    publish(dns, tls_peer, data)
    assert outcome(send(trusting)) == (Result.DELIVERED, False)
    assert tls_peer.wait_for_messages(1)[0].is_tls


def test_a_host_whose_records_cannot_be_had_is_put_off(
    trusting: Outside, dns: DnsServer, tls_peer: SmtpPeer
) -> None:
    dns.fail(f"_{tls_peer.port}._tcp.mx.example.test")
    attempt = send(trusting)
    assert (attempt.outcomes[1].result, attempt.outcomes[1].status) == (Result.TEMPORARY, "4.7.5")
    assert tls_peer.connections == 0


@pytest.mark.parametrize(("trusts", "validates"), [(False, True), (True, False)])
def test_records_count_only_when_validated_by_a_trusted_resolver(
    trusts: bool, validates: bool, trusting: Outside, dns: DnsServer, tls_peer: SmtpPeer
) -> None:
    publish(dns, tls_peer, WRONG)
    dns.is_validating = validates
    attempt = send(dataclasses.replace(trusting, trusts_dns=trusts))
    assert outcome(attempt) == (Result.DELIVERED, False)


@pytest.mark.parametrize("is_dane", [True, False])
def test_dane_comes_before_mta_sts(
    is_dane: bool,
    trusting: Outside,
    dns: DnsServer,
    tls_peer: SmtpPeer,
    certificate: Certificate,
) -> None:
    """Where no record can authenticate the host, the policy still does."""
    publish(dns, tls_peer, record(certificate, 1, 1) if is_dane else "2 0 1 " + "00" * 32)
    policy = StsPolicy(Mode.ENFORCE, ("other.test",))
    attempt = send(dataclasses.replace(trusting, sts_policy=lambda _: policy))
    assert outcome(attempt)[0] is (Result.DELIVERED if is_dane else Result.TEMPORARY)
