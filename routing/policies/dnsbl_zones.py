"""DNS block lists: what is asked, and what an answer means. RFC 5782. Pure."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

_LISTING = ipaddress.ip_network(
    "127.0.0.0/8"
)  # §2.1; other answers are of a zone that is dead or taken over
_ERROR = ipaddress.ip_network(
    "127.255.255.0/24"
)  # "you ask wrongly": an open resolver, too many queries
_CODE_LINE = re.compile(
    r"127\.0\.0\.(\d{1,3})(?:\s*-\s*(\d{1,3}))?\s+(-?\d+(?:\.\d+)?)(?:\s+(.*))?\Z"
)


@dataclass(frozen=True, slots=True)
class Code:
    """What the answers 127.0.0.`first` to 127.0.0.`last` are worth."""

    first: int
    last: int
    points: float
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class DnsblZone:
    """A zone to ask. Without codes every listing is worth `points`; with codes, others are worth nothing."""

    name: str
    points: float
    codes: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """A client is on a list. `text` is what the zone says of it."""

    zone: str
    points: float
    meaning: str = ""
    text: str = ""


class ZoneError(Exception):
    """The zone did not judge the client; the text says why, for the administrator."""


def parse_codes(text: str) -> tuple[Code, ...]:
    """Codes, one a line: `127.0.0.4-7 10 exploited hosts`. Raises ValueError that names the line."""
    codes = []
    for line in filter(None, map(str.strip, text.splitlines())):
        found = _CODE_LINE.match(line)
        if found is None or not 1 < int(found[1]) <= int(found[2] or found[1]) < 256:
            raise ValueError(f"not of the form “127.0.0.4-7 10 meaning”: {line}")
        codes.append(
            Code(int(found[1]), int(found[2] or found[1]), float(found[3]), found[4] or "")
        )
    return tuple(codes)


def question(client_address: str, zone: str) -> str:
    """The name whose A records tell: octets, or nibbles of IPv6, in reverse order (§2.1, §2.4)."""
    address = ipaddress.ip_address(client_address)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return f"{address.reverse_pointer.rsplit('.', 2)[0]}.{zone}"


def read_answer(zone: DnsblZone, addresses: Sequence[str]) -> Listing | None:
    """The heaviest listing among the A records; None for none. Raises ZoneError."""
    found: Listing | None = None
    for text in addresses:
        address = ipaddress.ip_address(text)
        if address in _ERROR:
            raise ZoneError(
                f"the zone does not answer this server ({text}): it refuses public resolvers and those that ask "
                "too much; set DNS_NAMESERVERS to a resolver of your own"
            )
        if address not in _LISTING or text == "127.0.0.1":
            raise ZoneError(
                f"the zone answers {text}, which is no listing: it is dead, or another's"
            )
        listing = _listing(zone, text)
        if listing is not None and (found is None or listing.points > found.points):
            found = listing
    return found


def _listing(zone: DnsblZone, address: str) -> Listing | None:
    if not zone.codes:
        return Listing(zone.name, zone.points)
    network, _, last = address.rpartition(".")
    if network != "127.0.0":
        return None
    number = int(last)
    for code in zone.codes:
        if code.first <= number <= code.last:
            return Listing(zone.name, code.points, code.meaning)
    return None
