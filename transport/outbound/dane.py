"""DANE for SMTP: what TLSA records say of an MX host's certificate (RFC 7672, RFC 6698 §2.1).

Of the certificate usages DANE-EE(3) is verified, which most hosts publish. Records of DANE-TA(2) are taken as unusable:
TLS is then required, and not authenticated (§2.2). PKIX-TA(0) and PKIX-EE(1) are unusable for SMTP (§3.1.3).
"""

import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from transport.dns.resolver import Resolver, Status
from transport.outbound.exchanges import Exchange
from transport.queue.outcomes import Outcome, temporary

DANE_EE = 3
RECORDS_MAXIMUM = 100


@dataclass(frozen=True, slots=True)
class Tlsa:
    """`selector` 0: the certificate, 1: its public key; `matching` 0: whole, 1: SHA-256, 2: SHA-512."""

    usage: int
    selector: int
    matching: int
    data: bytes

    @property
    def is_usable(self) -> bool:
        lengths = {0: len(self.data), 1: 32, 2: 64}
        return (
            self.usage == DANE_EE
            and self.selector in (0, 1)
            and bool(self.data)
            and lengths.get(self.matching) == len(self.data)
        )

    def matches(self, certificate: bytes) -> bool:
        """Whether a certificate (DER) is the one meant; names and dates do not count (RFC 7672 §3.1.1)."""
        if not self.is_usable:
            return False
        selected = certificate
        if self.selector == 1:
            try:
                key = x509.load_der_x509_certificate(certificate).public_key()
            except Exception:  # a stranger's bytes: what cannot be read matches nothing
                return False
            selected = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if self.matching == 1:
            selected = hashlib.sha256(selected).digest()
        elif self.matching == 2:
            selected = hashlib.sha512(selected).digest()
        return selected == self.data


def find_tlsa(resolver: Resolver, exchange: Exchange, port: int) -> tuple[Tlsa, ...] | Outcome:
    """The secure TLSA records of a host; none where DANE does not apply, an Outcome where they may be hidden from us.

    Without secure addresses they are not asked for: such zones' servers often fail to answer (RFC 7672 §2.2.2).
    """
    if not exchange.is_secure:
        return ()
    answers = [resolver.look_up(exchange.host, kind) for kind in ("A", "AAAA")]
    if not any(one.is_authenticated and one.status is Status.FOUND for one in answers):
        return ()
    answer = resolver.look_up(f"_{port}._tcp.{exchange.host}", "TLSA")
    if answer.status is Status.FAILED:
        return temporary("4.7.5", f"DNS gave no TLSA answer: {answer.reason}", exchange.host)
    if not answer.is_authenticated:
        return ()
    return tuple(Tlsa(*one) for one in answer.associations[:RECORDS_MAXIMUM])
