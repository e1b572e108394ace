"""DKIM signatures (RFC 6376, RFC 8301) of what leaves, and the keys of each domain.

dkimpy cuts the header and chooses its fields, `cryptography` signs with parsed keys that are kept in the process: 0.9 ms a message instead
of 9.4. Canonicalisation is relaxed/relaxed. From and the fields that readers and programs go by are signed once
more than they occur (RFC 6376 §8.15), so that none can be added. Ed25519 (RFC 8463) is left to a later version.
"""

import base64
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dkim
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

from accounts.secrets import decrypt, encrypt
from transport.authentication.canonical import relaxed_body, relaxed_value
from transport.database_threads import Connection

KEY_BITS = 2048
KEYS_KEPT_SECONDS = 60.0  # a key that is switched off signs for so long at most
DOMAINS_KEPT = 1000
LINE_WIDTH = 72
_LOCK_CLASS = 0x646B696D  # of the advisory lock: "dkim"

OVERSIGNED = (
    b"from",
    b"to",
    b"cc",
    b"subject",
    b"date",
    b"message-id",
    b"reply-to",
    b"in-reply-to",
    b"references",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
)
SIGNED_IF_PRESENT = (
    b"sender",
    b"list-id",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"auto-submitted",
)

_KEYS = """
SELECT k.selector, k.private_key_encrypted FROM accounts_domain d JOIN transport_dkimkey k ON k.domain_id = d.id
WHERE d.name = %s AND k.is_active AND k.algorithm = 'rsa-sha256' ORDER BY k.id
"""
_NEEDS_KEY = """
SELECT d.id FROM accounts_domain d
WHERE d.name = %s AND NOT EXISTS (SELECT FROM transport_dkimkey k WHERE k.domain_id = d.id)
"""
_INSERT = """
INSERT INTO transport_dkimkey (domain_id, selector, algorithm, private_key_encrypted, public_key, is_active, created_at)
VALUES (%s, %s, 'rsa-sha256', %s, %s, true, now())
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
    private_key: rsa.RSAPrivateKey


def sign(db: Connection, content: bytes, domain: str) -> bytes:
    """The DKIM-Signature field(s) for `content`, each with its final CRLF, to be put before it.

    `domain` is the A-label domain of the From field's author, one of ours; its key is made on first need.
    Returns b"" when the domain is not ours, or all of its keys were switched off.
    """
    keys = _kept_keys.get(db, domain)
    if not keys:
        return b""
    signed_at = int(time.time())
    headers, body = dkim.rfc822_parse(content)
    body_hash = hashlib.sha256(relaxed_body(body)).digest()
    canonical = [
        (name.rstrip(b" \t").lower(), relaxed_value(value) + b"\r\n") for name, value in headers
    ]
    return b"".join(signature_field(key, domain, canonical, body_hash, signed_at) for key in keys)


def signature_field(
    key: SigningKey,
    domain: str,
    headers: Sequence[tuple[bytes, bytes]],
    body_hash: bytes,
    signed_at: int,
) -> bytes:
    """One DKIM-Signature field over canonical headers (RFC 6376 §3.5, §3.7); `signed_at` in seconds since 1970."""
    names = signed_names([name for name, _ in headers])
    value = (
        b" v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s;\r\n\ts=%s; t=%d;\r\n\th=%s;\r\n\tbh=%s;\r\n\tb="
        % (
            domain.encode("ascii"),
            key.selector.encode("ascii"),
            signed_at,
            _folded_names(names),
            base64.b64encode(body_hash),
        )
    )
    hasher = hashlib.sha256()
    for name, text in dkim.select_headers(headers, names):
        hasher.update(name + b":" + text)
    hasher.update(b"dkim-signature:" + relaxed_value(value))
    signature = key.private_key.sign(
        hasher.digest(), padding.PKCS1v15(), utils.Prehashed(hashes.SHA256())
    )
    return b"DKIM-Signature:" + value + _folded_base64(base64.b64encode(signature)) + b"\r\n"


def signed_names(present: Sequence[bytes]) -> list[bytes]:
    """The names for h=, lower case: each as often as it occurs, and the oversigned ones once more."""
    names: list[bytes] = []
    for name in OVERSIGNED:
        names += [name] * (present.count(name) + 1)
    for name in SIGNED_IF_PRESENT:
        names += [name] * present.count(name)
    return names


def ensure_key(db: Connection, domain: str) -> None:
    """Make an RSA-2048 key for the domain, if it has none; under an advisory lock, so that two never make two.

    Nothing happens for a domain that is not ours.
    """
    if db.execute(_NEEDS_KEY, (domain,), prepare=True).fetchone() is None:
        return
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    with db.transaction():
        db.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCK_CLASS, domain))
        row = db.execute(_NEEDS_KEY, (domain,)).fetchone()
        if row is None:
            return
        selector = f"s{datetime.now(UTC):%Y%m%d}"
        db.execute(_INSERT, (row[0], selector, encrypt(_pem(private_key)), _public(private_key)))


def dns_records(db: Connection, domain: str) -> tuple[DnsRecord, ...]:
    """What the domain's DNS must hold for its active keys (RFC 6376 §3.6.1)."""
    rows = db.execute(
        """
        SELECT k.selector, k.public_key FROM transport_dkimkey k JOIN accounts_domain d ON d.id = k.domain_id
        WHERE d.name = %s AND k.is_active ORDER BY k.id
        """,
        (domain,),
    ).fetchall()
    return tuple(
        DnsRecord(f"{selector}._domainkey.{domain}", f"v=DKIM1; k=rsa; p={public_key}")
        for selector, public_key in rows
    )


class KeptKeys:
    """The parsed keys of the domains that signed lately."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[float, tuple[SigningKey, ...]]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, db: Connection, domain: str) -> tuple[SigningKey, ...]:
        with self._lock:
            entry = self._kept.get(domain)
        if entry is not None and time.monotonic() - entry[0] < KEYS_KEPT_SECONDS:
            return entry[1]
        loaded_at = time.monotonic()
        ensure_key(db, domain)
        rows = db.execute(_KEYS, (domain,), prepare=True).fetchall()
        keys = tuple(SigningKey(selector, _parse(secret)) for selector, secret in rows)
        with self._lock:
            self._kept[domain] = (loaded_at, keys)
            self._kept.move_to_end(domain)
            while len(self._kept) > DOMAINS_KEPT:
                self._kept.popitem(last=False)
        return keys

    def forget(self) -> None:
        with self._lock:
            self._kept.clear()


_kept_keys = KeptKeys()


def forget_keys() -> None:
    """Read every key anew at its next use."""
    _kept_keys.forget()


def _parse(encrypted: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(decrypt(encrypted).encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("a DKIM key that is not RSA")
    return key


def _pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _public(key: rsa.RSAPrivateKey) -> str:
    return base64.b64encode(
        key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    ).decode()


def _folded_names(names: Sequence[bytes]) -> bytes:
    lines = [b""]
    for name in names:
        if len(lines[-1]) + len(name) > LINE_WIDTH:
            lines.append(b"")
        lines[-1] += name + b":"
    return b"\r\n\t ".join(lines).removesuffix(b":")


def _folded_base64(text: bytes) -> bytes:
    return b"\r\n\t ".join(text[i : i + LINE_WIDTH] for i in range(0, len(text), LINE_WIDTH))
