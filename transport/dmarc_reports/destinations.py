"""Where a domain's reports go: its own addresses, and others' who have agreed to it. RFC 9990 §3.5, §4."""

from collections.abc import Iterator
from urllib.parse import unquote

from accounts.addresses import Address, AddressSyntaxError, parse_address
from transport.authentication.dmarc_records import (
    NAME_OCTETS_MAXIMUM,
    DnsTrouble,
    Record,
    Tree,
    parse_record,
)
from transport.authentication.look_up import LookUp
from transport.dns.resolver import Status

DESTINATIONS_MAXIMUM = 5


async def destinations(record: Record, look_up: LookUp) -> tuple[str, ...]:
    """The addresses that want this domain's reports. Raises DnsTrouble."""
    tree = Tree(look_up)
    organization = await tree.organizational_domain(record.domain)
    found: dict[str, None] = {}
    for address in list(_mail_addresses(record.reports))[:DESTINATIONS_MAXIMUM]:
        if await tree.organizational_domain(address.domain) == organization:
            found[str(address)] = None
        else:
            for agreed in await _agreed(record.domain, address, look_up):
                found[str(agreed)] = None
    return tuple(found)


async def _agreed(policy_domain: str, address: Address, look_up: LookUp) -> list[Address]:
    """The address, or those of its host that its host names instead; none where the host does not want the reports (§4)."""
    name = f"{policy_domain}._report._dmarc.{address.domain}"
    if len(name) > NAME_OCTETS_MAXIMUM:
        return []
    answer = await look_up(name, "TXT")
    if answer.status is Status.FAILED:
        raise DnsTrouble(f"whether {address.domain} wants the reports is not known")
    records = [parse_record(name, text.decode("latin-1")) for text in answer.texts]
    agreements = [record for record in records if record is not None]
    if not agreements:
        return []
    instead = [other for one in agreements for other in _mail_addresses(one.reports)]
    if any(other.domain != address.domain for other in instead):
        return []
    return instead[:DESTINATIONS_MAXIMUM] or [address]


def _mail_addresses(uris: tuple[str, ...]) -> Iterator[Address]:
    """Those of `mailto:`; a size behind `!` is of the past."""
    for uri in uris:
        scheme, _, rest = uri.partition(":")
        if scheme.lower() == "mailto":
            try:
                yield parse_address(unquote(rest.partition("!")[0].partition("?")[0]))
            except AddressSyntaxError:
                continue
