"""How long a client must wait after failed logins. Pure; `accounts.login_record` counts in the database.

Three counts: of a source with an account, of a source with all accounts, of an account from all sources. In each some
failures are free, since people mistype; after them the wait doubles with each. A count is forgotten an hour after its
last failure. A network from which an account has logged in before is known: only its own failures with this
account hold it up, and never for long, so that nobody can lock people out of where they usually are.
"""

import ipaddress
import math
from dataclasses import dataclass

from accounts.entries import LoginRefused, ThrottleScope

FREE_PER_PAIR = 5
FREE_PER_SOURCE = 30  # accounts behind one address together
FREE_PER_ACCOUNT = 50  # from all networks that are not known
LONGEST_WAIT = 15 * 60  # seconds
LONGEST_WAIT_OF_KNOWN = 30  # seconds
FORGET_AFTER = 60 * 60  # seconds
_SOURCE_MAXIMUM = 64


@dataclass(frozen=True, slots=True)
class Failures:
    """A count, and the seconds since its last failure."""

    count: int = 0
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One login that is tried: by whom as typed, from where, and what is known of both."""

    account: str
    source: str
    pair: Failures = Failures()
    of_source: Failures = Failures()
    of_account: Failures = Failures()
    is_known: bool = False
    is_noted_today: bool = False  # that the network is known

    def refusal(self) -> LoginRefused | None:
        """Why it may not be tried now; None when it may."""
        waits = [(self._wait(self.pair, FREE_PER_PAIR), ThrottleScope.PAIR)]
        if not self.is_known:
            waits.append((self._wait(self.of_account, FREE_PER_ACCOUNT), ThrottleScope.ACCOUNT))
            if not is_shared_source(self.source):
                waits.append((self._wait(self.of_source, FREE_PER_SOURCE), ThrottleScope.SOURCE))
        seconds, scope = max(waits, key=lambda wait: wait[0])
        return LoginRefused("throttled", seconds, scope) if seconds else None

    @property
    def turn(self) -> str:
        """Among whom the CPU for hashes is shared out: sources, or accounts where one source is many people."""
        return f"{self.source} {self.account}" if is_shared_source(self.source) else self.source

    def counts(self) -> tuple[list[str], list[str]]:
        """What a failure counts for, as sources and accounts side by side; "" is any."""
        sources, accounts = [self.source], [self.account]
        if not self.is_known:  # else a program with an old password would shut out the neighbours
            sources.append("")
            accounts.append(self.account)
            if not is_shared_source(self.source):
                sources.append(self.source)
                accounts.append("")
        return sources, accounts

    def _wait(self, failures: Failures, free: int) -> int:
        """Seconds that are left to wait, rounded up; 0 when the login may be tried."""
        longest = LONGEST_WAIT_OF_KNOWN if self.is_known else LONGEST_WAIT
        wait = wait_seconds(failures.count, free, longest)
        age = max(0.0, failures.age)  # a failure may be counted after this attempt's clock was read
        return max(0, math.ceil(wait - age))


def wait_seconds(failures: int, free: int, longest: int = LONGEST_WAIT) -> int:
    """How long after its last failure a source is refused, when `free` failures cost nothing."""
    if failures < free:
        return 0
    return min(longest, 1 << min(failures - free, 20))


def explanation(refused: LoginRefused) -> str:
    """What a client that was throttled is told, in one line of ASCII."""
    match refused.scope:
        case ThrottleScope.SOURCE:
            whose = "from your network"
        case ThrottleScope.ACCOUNT:
            whose = "to this account from elsewhere"
        case _:
            whose = "to this account"
    return f"Too many failed logins {whose}; try again in {_duration(refused.retry_after)}"


def _duration(seconds: int) -> str:
    if seconds < 120:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    return f"{math.ceil(seconds / 60)} minutes"


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
