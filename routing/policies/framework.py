"""What a policy is: a judge over facts, asked on port 25 at each RCPT. Pure.

A policy is a file of this folder with a module-level `POLICY`; it is found by itself. `transport.smtp.policing` gathers the
facts and asks the policies; the administrator turns each on, off, or to "only note it".
"""

import ipaddress
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Literal

from accounts.addresses import Address
from routing.evidence import SpfEvidence, SpfWord
from routing.policies.dnsbl_zones import Listing
from routing.policies.sender_lists import ListedSender
from routing.verdicts import Term

Mode = Literal["on", "off", "note"]

log = logging.getLogger(__name__)

_LOCAL = tuple(
    map(
        ipaddress.ip_network,
        [
            "127.0.0.0/8",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "169.254.0.0/16",
            "100.64.0.0/10",
            "::1/128",
            "fc00::/7",
            "fe80::/10",
        ],
    )
)


@dataclass(frozen=True, slots=True)
class ReverseDns:
    """The names of the client's address; `confirmed` are those that lead back to it."""

    names: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rates:
    """Recipients accepted within the last hour: from this client, this sender, for this recipient."""

    client: float = 0.0
    sender: float = 0.0
    recipient: float = 0.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known at one RCPT.

    The fields from `spf` on are gathered only for policies that name them in `needs`; None: nobody asked, or there was no
    answer in time. `doubtful_claim`: what SPF says where the sender's domain is ours and the client none that may
    send for it, else "".
    `recipients` counts those accepted before this one, who is the postmaster where the sender alone is judged; `declared_size` is SIZE of MAIL, 0 for none;
    `number` is what the administrator has set of the policy that is asked.
    """

    client_address: str
    helo: str
    hostname: str
    reverse_path: Address | None
    recipient: Address
    recipients: int = 0
    declared_size: int = 0
    number: int = 0
    rates: Rates = Rates()
    blocked: ListedSender | None = None
    spf: SpfEvidence | None = None
    listings: tuple[Listing, ...] | None = None
    reverse_dns: ReverseDns | None = None
    greylisted_seconds: float | None = None
    doubtful_claim: SpfWord | Literal[""] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`reply` refuses (5yz) or defers (4yz) the recipient, "" accepts it; `terms` are points that go with the message."""

    reply: str = ""
    terms: tuple[Term, ...] = ()


PASS = Decision()


@dataclass(frozen=True, slots=True)
class Policy:
    """`does` tells an administrator what it does, in a sentence. `needs` names fields of Facts.

    `number` is one that the administrator may change, `number_means` its unit. `is_of_sender`: it is asked once, at MAIL,
    for all recipients.
    """

    title: str
    does: str
    judge: Callable[[Facts], Decision]
    default_mode: Mode = "on"
    needs: frozenset[str] = frozenset()
    number: int = 0
    number_means: str = ""
    is_of_sender: bool = False


@cache
def policies() -> dict[str, Policy]:
    """Every policy by its name, which is its file's, in the order of the names. A broken file stops no mail."""
    found = {}
    for name in sorted(file.stem for file in Path(__file__).parent.glob("*.py")):
        try:
            module = import_module(f"routing.policies.{name}")
        except Exception:
            log.exception("policy %s cannot be loaded; it is left out", name)
            continue
        if hasattr(module, "POLICY"):
            found[name] = module.POLICY
    return found


def client_network(client_address: str) -> str:
    """An IPv4 address as it is, one mapped into IPv6 too; the /64 of an IPv6 address, which is one customer's."""
    address = ipaddress.ip_address(client_address)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is None:
            return str(ipaddress.ip_network((address, 64), strict=False))
        address = address.ipv4_mapped
    return str(address)


def is_local(client_address: str) -> bool:
    """Whether a client is of this host or a private network: nobody outside knows anything of it."""
    address = ipaddress.ip_address(client_address)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in _LOCAL if network.version == address.version)
