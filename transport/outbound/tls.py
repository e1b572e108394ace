"""How a connection to a next hop is encrypted: opportunistically for an MX (RFC 7435), verified for a relay."""

import ssl
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache


class TlsPolicy(Enum):
    """When TLS is started, and whether the message may go without."""

    OPPORTUNISTIC = "STARTTLS if offered, the certificate unchecked, in the clear if it fails"
    STARTTLS = "STARTTLS or nothing, the certificate verified"
    DANE = "STARTTLS or nothing, the certificate as TLSA records have it (RFC 7672)"
    ENCRYPTED = "STARTTLS or nothing, the certificate unchecked"
    IMPLICIT = "TLS before the greeting, the certificate verified (RFC 8314 §3.3)"

    @property
    def is_required(self) -> bool:
        return self is not TlsPolicy.OPPORTUNISTIC

    @property
    def is_verified(self) -> bool:
        """Whether an authority has to vouch for the certificate."""
        return self in (TlsPolicy.STARTTLS, TlsPolicy.IMPLICIT)


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """What was negotiated, for the trace; `version` is "" in the clear."""

    version: str = ""
    cipher: str = ""
    is_verified: bool = False


@lru_cache(maxsize=64)
def client_context(policy: TlsPolicy, ca_file: str = "") -> ssl.SSLContext:
    """The context for a policy; `ca_file` is what to trust instead of the system's store.

    Raises OSError when the file cannot be read, ssl.SSLError when it holds no certificate.
    """
    if policy.is_verified:
        return ssl.create_default_context(cafile=ca_file or None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def facts_of(connection: ssl.SSLSocket | None) -> TlsFacts:
    """What a connection has; all empty for one in the clear."""
    if connection is None:
        return TlsFacts()
    cipher = connection.cipher()
    return TlsFacts(
        connection.version() or "",
        cipher[0] if cipher else "",
        connection.context.verify_mode == ssl.CERT_REQUIRED,
    )
