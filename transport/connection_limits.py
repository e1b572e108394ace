"""How many connections one process takes: in all, and from one address."""

import ipaddress
from collections import Counter

TOTAL_MAXIMUM = 4000
ADDRESS_MAXIMUM = 200  # of an IPv4 address, or of an IPv6 /64, which is one customer's
LOCAL_MAXIMUM = 2000  # of this host: proxies, webmail, tests


class ConnectionLimits:
    """Counts what is open."""

    def __init__(self, total: int = TOTAL_MAXIMUM, per_address: int = ADDRESS_MAXIMUM) -> None:
        self._total = total
        self._per_address = per_address
        self._open: Counter[str] = Counter()

    def admit(self, address: str) -> bool:
        """Count one more, if there is room; `release` it at its end."""
        key, is_local = _key(address)
        maximum = max(self._per_address, LOCAL_MAXIMUM) if is_local else self._per_address
        if self._open[key] >= maximum or self._open.total() >= self._total:
            return False
        self._open[key] += 1
        return True

    def release(self, address: str) -> None:
        key, _ = _key(address)
        self._open[key] -= 1
        if self._open[key] <= 0:
            del self._open[key]


def _key(address: str) -> tuple[str, bool]:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address, False
    if parsed.version == 4:
        return address, parsed.is_loopback
    return str(ipaddress.ip_network((parsed, 64), strict=False)), parsed.is_loopback
