"""Certificates for tests' servers, made on the spot: self-signed, or signed by an authority of their own."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files: the certificate, its key, and what to trust to verify it."""

    cert_file: Path
    key_file: Path
    ca_file: Path


def make_certificate(folder: Path, *names: str, days: int = 30) -> Certificate:
    """A certificate for host names or addresses, signed by a new authority; negative `days`: expired."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _build("Test authority", authority_key, "Test authority", authority_key, (), 30)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _build(names[0], key, "Test authority", authority_key, names, days)
    made = Certificate(
        folder / f"{names[0]}.pem", folder / f"{names[0]}.key", folder / f"{names[0]}.ca.pem"
    )
    made.cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    made.key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


def _build(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    names: tuple[str, ...],
    days: int,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
