"""Where mail goes next: to a domain's MX, to a relay, or into a mailbox here. Pure.

`next_hop` in the queue names a route: what is claimed together and can share a connection.
"""

from dataclasses import dataclass, field

from transport.outbound.tls import TlsPolicy

LOCAL_HOP = "local:"
RELAY_PREFIX = "relay:"
SUBMISSIONS_PORT = 465


@dataclass(frozen=True, slots=True)
class MxRoute:
    """To the mail exchangers of a domain."""

    domain: str


@dataclass(frozen=True, slots=True)
class RelayRoute:
    """To a relay (a smart host)."""

    host: str
    port: int
    policy: TlsPolicy
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class LocalRoute:
    """Into a mailbox here, which was full or locked when the message came."""


Route = MxRoute | RelayRoute | LocalRoute


def next_hop_for(forward_path: str, relay_id: int | None, *, is_local: bool) -> str:
    """The name of the route of a recipient, given the relay of the domain that sends."""
    if is_local:
        return LOCAL_HOP
    if relay_id is not None:
        return f"{RELAY_PREFIX}{relay_id}"
    return forward_path.rpartition("@")[2].lower()


def relay_policy(tls: str, port: int) -> TlsPolicy:
    """The policy of a relay's `tls` field (transport.models.relay.Relay.Tls)."""
    match tls:
        case "implicit":
            return TlsPolicy.IMPLICIT
        case "opportunistic":
            return TlsPolicy.OPPORTUNISTIC
        case "starttls":
            return TlsPolicy.STARTTLS
        case _:
            return TlsPolicy.IMPLICIT if port == SUBMISSIONS_PORT else TlsPolicy.STARTTLS
