"""DKIM signatures (RFC 6376, RFC 8301) of what leaves, and the keys of each domain.

dkimpy canonicalises, `cryptography` signs with parsed keys that are kept in the process.
"""

from dataclasses import dataclass

from transport.database_threads import Connection


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """What an administrator publishes for a key: the owner name (absolute, no final dot) and the TXT value."""

    name: str
    value: str


def sign(db: Connection, content: bytes, domain: str) -> bytes:
    """The DKIM-Signature field(s) for `content`, each with its final CRLF, to be put before it.

    `domain` is the A-label domain of the From field's author, one of ours; its key is made on first need.
    Returns b"" when the domain is not ours, or all of its keys were switched off.
    """
    raise NotImplementedError


def ensure_key(db: Connection, domain: str) -> None:
    """Make an RSA-2048 key for the domain, if it has none; under an advisory lock, so that two never make two."""
    raise NotImplementedError


def dns_records(db: Connection, domain: str) -> tuple[DnsRecord, ...]:
    """What the domain's DNS must hold for its active keys (RFC 6376 §3.6.1)."""
    raise NotImplementedError
