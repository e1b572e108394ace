"""How long a source must wait after failed logins. Pure; `accounts.authentication` counts in the database.

Some failures are free, since people mistype; after them the wait doubles with each. A count is forgotten an
hour after the last failure, or when the login succeeds.
"""

import ipaddress

FREE_PER_ACCOUNT = 5
FREE_PER_SOURCE = 30  # accounts behind one address together
LONGEST_WAIT = 15 * 60  # seconds
FORGET_AFTER = 60 * 60  # seconds
_SOURCE_MAXIMUM = 64


def wait_seconds(failures: int, free: int) -> int:
    """How long after its last failure a source is refused, when `free` failures cost nothing."""
    if failures < free:
        return 0
    return min(LONGEST_WAIT, 1 << min(failures - free, 20))


def throttled_source(text: str) -> str:
    """What is counted as one source: an IPv4 address, or the /64 network of an IPv6 address.

    Anybody with IPv6 has a /64 to take addresses from.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text[:_SOURCE_MAXIMUM]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if address.is_loopback:
            return str(address)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def is_shared_source(source: str) -> bool:
    """Whether unrelated users come from the source by nature: webmail or a proxy on this machine.

    Such a source is throttled with each account, never as a whole.
    """
    try:
        return ipaddress.ip_network(source).is_loopback
    except ValueError:
        return True
