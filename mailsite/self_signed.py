"""The certificate that `serve` makes while nobody has set TLS_CERT_FILE: ECDSA P-256, self-signed."""

import datetime
import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = datetime.timedelta(days=825)  # the longest that Apple's software takes
RENEW_BEFORE = datetime.timedelta(days=30)


def ensure_certificate(
    cert_file: Path, key_file: Path, hostname: str, addresses: Iterable[str], now: datetime.datetime
) -> None:
    """Make certificate and key, unless those that are there name the host and last for another month."""
    names = _names(hostname, addresses)
    if key_file.exists() and cert_file.exists() and _is_good(cert_file, names, now):
        return
    cert_file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key, hostname, names, now)
    _write(
        key_file,
        0o600,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    _write(cert_file, 0o644, certificate.public_bytes(serialization.Encoding.PEM))


def _names(hostname: str, addresses: Iterable[str]) -> list[x509.GeneralName]:
    """The host's name and every address that it may be reached at, so that a client on this machine can verify."""
    found: dict[str, x509.GeneralName] = {hostname: x509.DNSName(hostname)}
    found.setdefault("localhost", x509.DNSName("localhost"))
    for text in ("127.0.0.1", "::1", *addresses):
        address = ipaddress.ip_address(text.partition("%")[0])
        if not address.is_unspecified:
            found[str(address)] = x509.IPAddress(address)
    return list(found.values())


def _is_good(cert_file: Path, names: list[x509.GeneralName], now: datetime.datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(cert_file.read_bytes())
        held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):
        return False
    is_lasting = certificate.not_valid_after_utc - RENEW_BEFORE > now
    return is_lasting and set(names) <= set(held)


def _certificate(
    key: ec.EllipticCurvePrivateKey,
    hostname: str,
    names: list[x509.GeneralName],
    now: datetime.datetime,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostname[:64])])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def _write(path: Path, mode: int, content: bytes) -> None:
    """Whole or not at all."""
    made = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    made.rename(path)
