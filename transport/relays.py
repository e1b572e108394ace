"""Sets relays: of one domain, or of every domain that has none of its own."""

from pathlib import Path

from accounts.models import Domain
from accounts.namespace import Conflict, one_change
from accounts.secrets import encrypt
from transport.models import Relay

SUBMISSION_PORT = 587  # RFC 6409 §3.1
PORT_MAXIMUM = 65535


def set_relay(
    domain: Domain | None,
    host: str,
    port: int = SUBMISSION_PORT,
    *,
    username: str = "",
    password: str = "",
    ca_file: str = "",
    tls: str = "",
) -> Relay:
    """The relay from now on, in place of one before. Raises Conflict for what cannot work.

    TLS is required where there is a password or a CA file to protect it with; else STARTTLS is used when the
    relay offers it, as with any MX.
    """
    if bool(username) != bool(password):
        raise Conflict("A user needs a password, and a password a user.")
    if ca_file and not Path(ca_file).is_file():
        raise Conflict(f"There is no file {ca_file}.")
    relay = Relay.objects.filter(domain=domain).first() or Relay(domain=domain)
    relay.host, relay.port, relay.username, relay.ca_file = host, port, username, ca_file
    relay.password_encrypted = encrypt(password) if password else ""
    relay.tls = tls or (
        Relay.Tls.AUTOMATIC if username or ca_file or port == 465 else Relay.Tls.OPPORTUNISTIC
    )
    with one_change(domain.name if domain else "the installation"):
        relay.clean_fields()
        relay.save()
    return relay


def parse_host_port(text: str) -> tuple[str, int]:
    """`host`, `host:port`, `[address]` or `[address]:port`; raises Conflict."""
    host, colon, port = text.strip(), "", ""
    if host.startswith("["):
        host, _, rest = host[1:].partition("]")
        colon, port = rest[:1], rest[1:]
    elif host.count(":") == 1:
        host, colon, port = host.partition(":")
    number = int(port) if port.isascii() and port.isdigit() else None
    if not host or any(character.isspace() for character in host):
        raise Conflict(f"{text!r} is no host.")
    if colon not in ("", ":") or (colon and (number is None or not 0 < number <= PORT_MAXIMUM)):
        raise Conflict(f"{text!r} does not end in a port number.")
    return host, number or SUBMISSION_PORT
