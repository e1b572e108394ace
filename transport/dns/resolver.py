"""DNS look-ups over `settings.DNS_NAMESERVERS`, or the system's servers: bounded, timed, cached.

An expected outcome is an answer with a status, not an exception. Sync and async look-ups share one cache, whose
entries live as long as the records' TTL (RFC 1035 §3.2.1), or the SOA's for what does not exist (RFC 2308 §5),
within bounds. dnspython asks over UDP and again over TCP when the reply was cut.
"""

import asyncio
import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver
import dns.reversename
from django.conf import settings
from dns.rdata import Rdata

LOOK_UP_SECONDS = 10.0  # for one look-up over all servers and repetitions
SERVER_SECONDS = 3.0  # for one server's answer
CACHE_ENTRIES = 20_000
TTL_MAXIMUM_SECONDS = 3600
NEGATIVE_TTL_MAXIMUM_SECONDS = 300
FAILURE_TTL_SECONDS = 5  # a broken zone is not asked again for every message (RFC 9520 §3.2)


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
        return tuple(b"".join(record.strings) for record in self._of(dns.rdatatype.TXT))

    @property
    def hosts(self) -> tuple[str, ...]:
        """Names in PTR, NS or CNAME records, lower-case, without the final dot."""
        kinds = (dns.rdatatype.PTR, dns.rdatatype.NS, dns.rdatatype.CNAME)
        return tuple(_host(record.target) for record in self._of(*kinds))

    @property
    def addresses(self) -> tuple[str, ...]:
        """Addresses in A or AAAA records, as text."""
        return tuple(record.address for record in self._of(dns.rdatatype.A, dns.rdatatype.AAAA))

    @property
    def exchanges(self) -> tuple[tuple[int, str], ...]:
        """(preference, host) of MX records, unsorted; the null MX of RFC 7505 has the host ""."""
        return tuple(
            (record.preference, _host(record.exchange)) for record in self._of(dns.rdatatype.MX)
        )

    @property
    def associations(self) -> tuple[tuple[int, int, int, bytes], ...]:
        """(usage, selector, matching type, data) of TLSA records (RFC 6698 §2.1)."""
        return tuple(
            (record.usage, record.selector, record.mtype, record.cert)
            for record in self._of(dns.rdatatype.TLSA)
        )

    def _of(self, *kinds: int) -> list[Any]:
        return [record for record in self.records if record.rdtype in kinds]


class Resolver:
    """One a process; threads and tasks share it.

    `nameservers` are (address, port); none: what the system is set to. `clock` gives seconds for the cache.
    """

    def __init__(
        self,
        nameservers: Sequence[tuple[str, int]] = (),
        *,
        look_up_seconds: float = LOOK_UP_SECONDS,
        server_seconds: float = SERVER_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sync = dns.resolver.Resolver(configure=not nameservers)
        self._async = dns.asyncresolver.Resolver(configure=not nameservers)
        for inner in (self._sync, self._async):
            if nameservers:
                inner.nameservers = [
                    dns.nameserver.Do53Nameserver(address, port) for address, port in nameservers
                ]
            inner.lifetime = look_up_seconds
            inner.timeout = server_seconds
            inner.search = []
            inner.use_edns(0, 0, 1232)
            inner.set_flags(dns.flags.RD | dns.flags.AD)
        self._clock = clock
        self._cache: OrderedDict[tuple[str, str], tuple[float, Answer]] = OrderedDict()
        self._lock = threading.Lock()
        self._coming: dict[tuple[asyncio.AbstractEventLoop, str, str], asyncio.Task[Answer]] = {}

    def look_up(self, name: str, record_type: str) -> Answer:
        """Ask for `record_type` ("MX", "TXT", ...) of `name`; blocks for at most the time limit."""
        if (known := self.recall(name, record_type)) is not None:
            return known
        try:
            found = self._sync.resolve(
                _absolute(name), record_type, raise_on_no_answer=False, search=False
            )
        except Exception as error:
            return self._keep_failure(name, record_type, error)
        return self._keep(name, record_type, found)

    async def look_up_async(self, name: str, record_type: str) -> Answer:
        """The same on the running loop. Who asks what is being asked waits for that answer."""
        if (known := self.recall(name, record_type)) is not None:
            return known
        loop = asyncio.get_running_loop()
        key = (loop, _key(name), record_type)
        coming = self._coming.get(key)
        if coming is None:
            coming = self._coming[key] = loop.create_task(self._ask(name, record_type))
            coming.add_done_callback(lambda _: self._coming.pop(key, None))
        return await asyncio.shield(coming)

    async def _ask(self, name: str, record_type: str) -> Answer:
        try:
            found = await self._async.resolve(
                _absolute(name), record_type, raise_on_no_answer=False, search=False
            )
        except Exception as error:
            return self._keep_failure(name, record_type, error)
        return self._keep(name, record_type, found)

    def forget(self) -> None:
        """Empty the cache."""
        with self._lock:
            self._cache.clear()

    def recall(self, name: str, record_type: str) -> Answer | None:
        """What is in the cache; asks nobody."""
        key = (_key(name), record_type)
        with self._lock:
            entry = self._cache.get(key)
            if entry is None:
                return None
            expires, answer = entry
            if expires <= self._clock():
                del self._cache[key]
                return None
            self._cache.move_to_end(key)
            return answer

    def _keep(self, name: str, record_type: str, found: dns.resolver.Answer) -> Answer:
        is_authenticated = bool(found.response.flags & dns.flags.AD)
        if found.rrset is None:
            ttl = min(_negative_ttl(found.response), NEGATIVE_TTL_MAXIMUM_SECONDS)
            return self._store(name, record_type, Answer(Status.NO_DATA, (), is_authenticated), ttl)
        ttl = min(max(found.expiration - time.time(), 0), TTL_MAXIMUM_SECONDS)
        answer = Answer(Status.FOUND, tuple(found.rrset), is_authenticated)
        return self._store(name, record_type, answer, ttl)

    def _keep_failure(self, name: str, record_type: str, error: Exception) -> Answer:
        match error:
            case dns.resolver.NXDOMAIN():
                response = next(iter(error.responses().values()), None)  # type: ignore[no-untyped-call]
                ttl = min(_negative_ttl(response), NEGATIVE_TTL_MAXIMUM_SECONDS)
                is_authenticated = bool(response and response.flags & dns.flags.AD)
                answer = Answer(Status.NO_NAME, (), is_authenticated, f"{name} does not exist")
                return self._store(name, record_type, answer, ttl)
            case dns.name.LabelTooLong() | dns.name.NameTooLong() | dns.name.EmptyLabel():
                return Answer(Status.NO_NAME, reason=f"{name} is no domain name")
            case dns.exception.DNSException() | OSError():
                answer = Answer(Status.FAILED, reason=f"{record_type} of {name}: {error}")
                return self._store(name, record_type, answer, FAILURE_TTL_SECONDS)
            case _:
                raise error

    def _store(self, name: str, record_type: str, answer: Answer, ttl: float) -> Answer:
        with self._lock:
            self._cache[_key(name), record_type] = (self._clock() + ttl, answer)
            while len(self._cache) > CACHE_ENTRIES:
                self._cache.popitem(last=False)
        return answer


@lru_cache(maxsize=1)
def resolver() -> Resolver:
    """The process's resolver, made from the settings on first use."""
    return Resolver(settings.DNS_NAMESERVERS)


def reverse_name(address: str) -> str:
    """The PTR name of an IPv4 or IPv6 address; one mapped into IPv6 is taken as IPv4."""
    parsed = ipaddress.ip_address(address)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return parsed.reverse_pointer


def _negative_ttl(response: dns.message.Message | None) -> float:
    """RFC 2308 §5: the lower of the SOA's own TTL and its last field; 0 without a SOA."""
    for rrset in response.authority if response else ():
        if rrset.rdtype == dns.rdatatype.SOA:
            return float(min(rrset.ttl, rrset[0].minimum))
    return 0.0


def _absolute(name: str) -> dns.name.Name:
    return dns.name.from_text(name if name.endswith(".") else name + ".")


def _host(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower() if name != dns.name.root else ""


def _key(name: str) -> str:
    return name.rstrip(".").lower()
