"""Which hosts take a domain's mail, in the order to try them (RFC 5321 §5.1, RFC 7505).

IPv4 addresses come before IPv6 ones: a server without working IPv6 would else wait for each time-out.
"""

import ipaddress
import random
from collections.abc import Iterator
from dataclasses import dataclass

from transport.dns.resolver import Resolver, Status
from transport.queue.outcomes import Outcome, permanent, temporary

HOSTS_MAXIMUM = 10
ADDRESSES_MAXIMUM = 4  # of one host


@dataclass(frozen=True, slots=True)
class Exchange:
    """A host to try; `address` is set only for an address literal. `is_secure`: DNS's word for it was validated."""

    host: str
    address: str = ""
    is_secure: bool = False


def find_exchanges(
    resolver: Resolver, domain: str, own_name: str, chance: random.Random
) -> tuple[Exchange, ...] | Outcome:
    """The hosts of a domain, best first, or why there is none.

    Hosts of one preference are shuffled with `chance`. When `own_name` is among them, it and all that are not
    better are left out, so that mail does not loop (RFC 5321 §5.1).
    """
    if domain.startswith("["):
        return _literal(domain)
    answer = resolver.look_up(domain, "MX")
    match answer.status:
        case Status.FAILED:
            return temporary("4.4.3", f"DNS gave no answer: {answer.reason}")
        case Status.NO_NAME:
            return permanent("5.1.2", f"the domain {domain} does not exist")
        case Status.NO_DATA:
            ranked = [(0, domain)]  # the implicit MX
        case Status.FOUND:
            ranked = list(answer.exchanges)
    if [host for _, host in ranked] == [""]:
        return permanent("5.1.10", f"{domain} takes no mail (null MX)")
    chance.shuffle(ranked)
    ranked = sorted((pair for pair in ranked if pair[1]), key=lambda pair: pair[0])
    own = [preference for preference, host in ranked if host == own_name.lower()]
    if own:
        ranked = [pair for pair in ranked if pair[0] < own[0]]
    if not ranked:
        return permanent("5.4.6", f"mail for {domain} loops back to {own_name}")
    return tuple(
        Exchange(host, is_secure=answer.is_authenticated) for _, host in ranked[:HOSTS_MAXIMUM]
    )


def addresses_of(resolver: Resolver, exchange: Exchange) -> Iterator[str | Outcome]:
    """The addresses of a host, each looked up when it is asked for; an Outcome says why there is none."""
    if exchange.address:
        yield exchange.address
        return
    if (
        exchange.host.lower() == "localhost"
    ):  # a relay on this machine; no question for DNS, RFC 6761 §6.3
        yield from ("127.0.0.1", "::1")
        return
    count = 0
    failure: Outcome | None = None
    for record_type in ("A", "AAAA"):
        answer = resolver.look_up(exchange.host, record_type)
        if answer.status is Status.FAILED:
            failure = temporary("4.4.3", f"DNS gave no answer: {answer.reason}", exchange.host)
        for address in answer.addresses:
            if count < ADDRESSES_MAXIMUM:
                count += 1
                yield address
    if not count:
        yield failure or temporary("4.4.4", f"{exchange.host} has no address", exchange.host)


def _literal(domain: str) -> tuple[Exchange, ...] | Outcome:
    """RFC 5321 §4.1.3."""
    text = domain.strip("[]")
    if text[:5].lower() == "ipv6:":
        text = text[5:]
    try:
        address = str(ipaddress.ip_address(text))
    except ValueError:
        return permanent("5.1.2", f"{domain} is no address")
    return (Exchange(domain, address),)
