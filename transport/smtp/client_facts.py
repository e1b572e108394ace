"""What DNS says of a client: its names, and the block lists that name it. Clients of private networks are not asked about."""

import asyncio
import ipaddress
import time
from collections.abc import Mapping, Sequence

from routing.policies.dnsbl_zones import DnsblZone, Listing, ZoneError, question, read_answer
from routing.policies.framework import ReverseDns, is_local
from transport.authentication.look_up import LookUp
from transport.dns.resolver import Status, reverse_name

NAMES_MAXIMUM = 5
ZONE_SECONDS = 3.0  # for one zone's answer
FAILURES_MAXIMUM = 5  # in a row; then a zone is left alone for a while
REST_SECONDS = 60.0
TEXT_MAXIMUM = 200


async def find_reverse_dns(client_address: str, look_up: LookUp) -> ReverseDns | None:
    """None for a client that is not asked about, and when DNS has no answer."""
    if is_local(client_address):
        return None
    answer = await look_up(reverse_name(client_address), "PTR")
    if answer.status is Status.FAILED:
        return None
    names = answer.hosts[:NAMES_MAXIMUM]
    address = _plain(client_address)
    kind = "A" if address.version == 4 else "AAAA"
    answers = await asyncio.gather(*(look_up(name, kind) for name in names))
    if names and all(one.status is Status.FAILED for one in answers):
        return None
    confirmed = tuple(
        name
        for name, one in zip(names, answers, strict=True)
        if any(ipaddress.ip_address(found) == address for found in one.addresses)
    )
    return ReverseDns(names, confirmed)


class BlockLists:
    """Asks the zones, all at once; one a process. What a zone does wrong is kept for the administrator."""

    def __init__(self) -> None:
        self.problems: dict[str, str] = {}
        self.hits: dict[str, int] = {}
        self._failures: dict[str, int] = {}
        self._resting: dict[str, float] = {}

    async def ask(
        self, client_address: str, zones: Sequence[DnsblZone], look_up: LookUp
    ) -> tuple[Listing, ...]:
        """The listings of a client. A zone that fails lists nobody."""
        if is_local(client_address):
            return ()
        now = time.monotonic()
        awake = [zone for zone in zones if self._resting.get(zone.name, 0.0) <= now]
        found = await asyncio.gather(
            *(self._ask_zone(client_address, zone, look_up) for zone in awake)
        )
        return tuple(listing for listing in found if listing is not None)

    def take_news(self) -> tuple[Mapping[str, str], Mapping[str, int]]:
        """Problems and numbers of hits by zone, since the last time."""
        news = self.problems, self.hits
        self.problems, self.hits = {}, {}
        return news

    async def _ask_zone(
        self, client_address: str, zone: DnsblZone, look_up: LookUp
    ) -> Listing | None:
        name = question(client_address, zone.name)
        try:
            async with asyncio.timeout(ZONE_SECONDS):
                answer = await look_up(name, "A")
                if answer.status is Status.FAILED:
                    raise TimeoutError
                self._failures[zone.name] = 0
                listing = read_answer(zone, answer.addresses)
        except TimeoutError:
            self._count_failure(zone.name)
            return None
        except ZoneError as error:
            self.problems[zone.name] = str(error)
            return None
        if listing is None:
            return None
        self.hits[zone.name] = self.hits.get(zone.name, 0) + 1
        text = ""
        try:
            async with asyncio.timeout(ZONE_SECONDS):
                told = await look_up(name, "TXT")
                text = told.texts[0].decode("ascii", "replace") if told.texts else ""
        except TimeoutError:
            pass
        printable = "".join(sign if " " <= sign <= "~" else "?" for sign in text)
        return Listing(zone.name, listing.points, listing.meaning, printable[:TEXT_MAXIMUM])

    def _count_failure(self, zone: str) -> None:
        self._failures[zone] = self._failures.get(zone, 0) + 1
        if self._failures[zone] >= FAILURES_MAXIMUM:
            self._failures[zone] = 0
            self._resting[zone] = time.monotonic() + REST_SECONDS
            self.problems[zone] = (
                f"no answer from the zone; it is asked again in {REST_SECONDS:g} s"
            )


def _plain(client_address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(client_address)
    return getattr(address, "ipv4_mapped", None) or address
