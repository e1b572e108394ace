"""DNS look-ups over `settings.DNS_NAMESERVERS`, or the system's servers: bounded, timed, cached.

An expected outcome is an answer with a status, not an exception. Sync and async share one cache.
"""

from dataclasses import dataclass
from enum import Enum

from dns.rdata import Rdata


class Status(Enum):
    """How a look-up ended."""

    FOUND = "found"
    NO_DATA = "the name exists, without such a record"
    NO_NAME = "no such name"  # NXDOMAIN
    FAILED = "no usable answer"  # SERVFAIL, REFUSED, a time-out, no server


@dataclass(frozen=True, slots=True)
class Answer:
    """The records found, and whether the resolver validated them (AD bit, RFC 4035 §3.2.3)."""

    status: Status
    records: tuple[Rdata, ...] = ()
    is_authenticated: bool = False
    reason: str = ""

    @property
    def texts(self) -> tuple[bytes, ...]:
        """TXT records, the strings of each joined without a space (RFC 7208 §3.3)."""
        raise NotImplementedError

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names in PTR, NS or CNAME records, lower-case, without the final dot."""
        raise NotImplementedError

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses in A or AAAA records, as text."""
        raise NotImplementedError

    @property
    def exchanges(self) -> tuple[tuple[int, str], ...]:
        """(preference, host) of MX records, unsorted; the null MX of RFC 7505 has the host ""."""
        raise NotImplementedError


class Resolver:
    """One a process; threads and tasks share it."""

    def look_up(self, name: str, record_type: str) -> Answer:
        """Ask for `record_type` ("MX", "TXT", ...) of `name`; blocks for at most the time limit."""
        raise NotImplementedError

    async def look_up_async(self, name: str, record_type: str) -> Answer:
        """The same on the running loop."""
        raise NotImplementedError


def resolver() -> Resolver:
    """The process's resolver, made from the settings on first use."""
    raise NotImplementedError


def reverse_name(address: str) -> str:
    """The PTR name of an IPv4 or IPv6 address."""
    raise NotImplementedError
