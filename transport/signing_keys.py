"""The keys that sign for a domain: made, kept parsed in the process, shown as DNS records (RFC 6376 §3.6, RFC 8301, RFC 8463).

A domain has an RSA key and an Ed25519 key. RSA signs as soon as it is there: mail leaves signed also while the record is
being published. Ed25519 signs beside it once its record was seen in DNS: a second signature that nobody can verify helps nobody.
"""

import base64
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa, utils

from accounts.secrets import decrypt, encrypt
from transport.authentication.keys import KEY_TYPES
from transport.database_threads import Connection

KEY_BITS = 2048
KEYS_KEPT_SECONDS = 60.0  # a key that is switched off signs for so long at most
DOMAINS_KEPT = 1000
RSA, ED25519 = "rsa-sha256", "ed25519-sha256"
_SELECTORS = {RSA: "s", ED25519: "e"}
_LOCK_CLASS = 0x646B696D  # of the advisory lock: "dkim"

PrivateKey = rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

_KEYS = """
SELECT k.selector, k.algorithm, k.private_key_encrypted
FROM accounts_domain d JOIN transport_dkimkey k ON k.domain_id = d.id
WHERE d.name = %s AND k.is_active AND (k.algorithm = 'rsa-sha256' OR k.record = 'published')
ORDER BY k.algorithm DESC, k.id
"""
_ALGORITHMS = """
SELECT d.id, ARRAY(SELECT k.algorithm FROM transport_dkimkey k WHERE k.domain_id = d.id)
FROM accounts_domain d WHERE d.name = %s
"""
_INSERT = """
INSERT INTO transport_dkimkey (domain_id, selector, algorithm, private_key_encrypted, public_key, is_active, created_at)
VALUES (%s, %s, %s, %s, %s, true, now())
"""


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """What an administrator publishes for a key: the owner name (absolute, no final dot) and the TXT value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A parsed private key and the selector under which its public part is found."""

    selector: str
    algorithm: str
    private_key: PrivateKey

    def sign(self, digest: bytes) -> bytes:
        """The signature over a SHA-256 digest (RFC 8463 §3 signs the digest itself)."""
        if isinstance(self.private_key, rsa.RSAPrivateKey):
            prehashed = utils.Prehashed(hashes.SHA256())
            return self.private_key.sign(digest, padding.PKCS1v15(), prehashed)
        return self.private_key.sign(digest)


def ensure_keys(db: Connection, domain: str) -> None:
    """Make the keys that the domain has not; under an advisory lock, so that two never make two of a kind.

    Nothing happens for a domain that is not ours.
    """
    if not _missing(db, domain)[1]:
        return
    with db.transaction():
        db.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK_CLASS, domain))
        domain_id, algorithms = _missing(db, domain)
        for algorithm in algorithms:
            key = _new_key(algorithm)
            selector = f"{_SELECTORS[algorithm]}{datetime.now(UTC):%Y%m%d}"
            row = (domain_id, selector, algorithm, encrypt(_pem(key)), _public(key))
            db.execute(_INSERT, row)


def _missing(db: Connection, domain: str) -> tuple[int, list[str]]:
    row = db.execute(_ALGORITHMS, (domain,), prepare=True).fetchone()
    return (0, []) if row is None else (row[0], [one for one in _SELECTORS if one not in row[1]])


def dns_records(db: Connection, domain: str) -> tuple[DnsRecord, ...]:
    """What the domain's DNS must hold for its active keys (RFC 6376 §3.6.1)."""
    rows = db.execute(
        """
        SELECT k.selector, k.algorithm, k.public_key
        FROM transport_dkimkey k JOIN accounts_domain d ON d.id = k.domain_id
        WHERE d.name = %s AND k.is_active ORDER BY k.id
        """,
        (domain,),
    ).fetchall()
    return tuple(
        DnsRecord(f"{selector}._domainkey.{domain}", record_value(algorithm, public_key))
        for selector, algorithm, public_key in rows
    )


def record_value(algorithm: str, public_key: str) -> str:
    """The TXT record of a key (RFC 6376 §3.6.1, RFC 8463 §4)."""
    return f"v=DKIM1; k={KEY_TYPES[algorithm]}; p={public_key}"


class KeptKeys:
    """The parsed keys of the domains that signed lately."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[float, tuple[SigningKey, ...]]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, db: Connection, domain: str) -> tuple[SigningKey, ...]:
        """Those that sign, RSA first; they are made on first need. Empty for a domain that is not ours."""
        with self._lock:
            entry = self._kept.get(domain)
        if entry is not None and time.monotonic() - entry[0] < KEYS_KEPT_SECONDS:
            return entry[1]
        loaded_at = time.monotonic()
        ensure_keys(db, domain)
        rows = db.execute(_KEYS, (domain,), prepare=True).fetchall()
        keys = tuple(
            SigningKey(selector, algorithm, _parse(secret)) for selector, algorithm, secret in rows
        )
        with self._lock:
            self._kept[domain] = (loaded_at, keys)
            self._kept.move_to_end(domain)
            while len(self._kept) > DOMAINS_KEPT:
                self._kept.popitem(last=False)
        return keys

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()


KEPT_KEYS = KeptKeys()


def forget_keys() -> None:
    """Read every key anew at its next use."""
    KEPT_KEYS.forget()


def _new_key(algorithm: str) -> PrivateKey:
    if algorithm == ED25519:
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def _parse(encrypted: str) -> PrivateKey:
    key = serialization.load_pem_private_key(decrypt(encrypted).encode(), password=None)
    if not isinstance(key, PrivateKey):
        raise TypeError("a DKIM key that is neither RSA nor Ed25519")
    return key


def _pem(key: PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _public(key: PrivateKey) -> str:
    """The p= of the record: DER of RSA's, the 32 octets of Ed25519's (RFC 8463 §4.2)."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return base64.b64encode(key.public_key().public_bytes_raw()).decode()
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode()
