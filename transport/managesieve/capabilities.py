"""What is advertised (RFC 5804 §1.7)."""

from functools import cache

from routing.sieve.language import standard
from routing.sieve.limits import REDIRECTS_MAXIMUM
from transport.managesieve.wire.responses import capability

MECHANISMS = "SCRAM-SHA-256 PLAIN"


def capabilities(*, is_clear: bool = False, owner: str = "") -> bytes:
    """The lines, without the OK. Nobody logs in before TLS; `owner` is the login's name once there is one."""
    return _fixed(is_clear) + (capability("OWNER", owner) if owner else b"")


@cache
def _fixed(is_clear: bool) -> bytes:
    lines = [
        capability("IMPLEMENTATION", "Mailsite"),
        capability("SASL", "" if is_clear else MECHANISMS),
        capability("SIEVE", " ".join(standard().capabilities)),
        capability("NOTIFY", "mailto"),
        capability("EXTLISTS", "urn"),  # RFC 6134: the schemes of lists, beside plain names
        capability("MAXREDIRECTS", str(REDIRECTS_MAXIMUM)),
        capability("LANGUAGE", "en"),
        capability("UNAUTHENTICATE"),
        capability("VERSION", "1.0"),
    ]
    if is_clear:
        lines.append(capability("STARTTLS"))
    return b"".join(lines)
