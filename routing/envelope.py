"""The envelope of a message and the client that brought it (RFC 5321 §2.3.1, RFC 3461 §4). Pure values."""

from dataclasses import dataclass

from accounts.addresses import Address


@dataclass(frozen=True, slots=True)
class Client:
    """Who speaks to us. `protocol` is the `with` clause of Received (RFC 3848, RFC 6531 §4.3) without UTF8.

    `login` is the address of the account that logged in, or "".
    """

    address: str
    helo: str
    protocol: str
    login: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A forward-path and what its sender asked for it.

    `notify` is "" (nothing said), "NEVER", or a list of SUCCESS, FAILURE, DELAY joined by commas; `orcpt` is
    `addr-type;xtext` as it came, or "".
    """

    address: Address
    notify: str = ""
    orcpt: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A mail transaction's envelope. `reverse_path` is None for the null path `<>`.

    `ret` is "", "FULL" or "HDRS"; `envid` is xtext as it came; `body` is "", "7BIT" or "8BITMIME".
    """

    reverse_path: Address | None
    recipients: tuple[Recipient, ...]
    ret: str = ""
    envid: str = ""
    body: str = ""
    smtputf8: bool = False
