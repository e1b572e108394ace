"""One attempt to send a message along a route: hosts in their order, the first that takes it (RFC 5321 §5.1).

A `Courier` keeps the session open, so that the next message of the same route goes over the same connection.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from transport.dns.resolver import Resolver
from transport.outbound.dane import find_tlsa
from transport.outbound.exchanges import Exchange, addresses_of, find_exchanges
from transport.outbound.mta_sts import StsPolicy
from transport.outbound.routes import MxRoute, RelayRoute
from transport.outbound.security import Security, security_of
from transport.outbound.session import Endpoint, Session, SessionFailed, open_session
from transport.outbound.tls import TlsFacts
from transport.outbound.transmission import Transmission
from transport.outbound.unreachable import UnreachableHosts
from transport.outbound.wire import DEFAULT_LIMITS, TimeLimits
from transport.queue.outcomes import Outcome, Result, Stage, permanent, temporary

TRANSACTIONS_A_SESSION = 100
ENDPOINTS_AN_ATTEMPT = 8


@dataclass(frozen=True, slots=True)
class Outside:
    """What an attempt uses of the world: DNS, our name, the port of MX hosts, chance, time limits, memory.

    `sts_policy` finds a domain's MTA-STS policy; `ca_file` is whom to trust in verifying MX hosts, "" the system's store;
    `trusts_dns` whether the resolver validates, and nobody can forge its answers on their way to us (DANE).
    """

    resolver: Resolver
    own_name: str
    mx_port: int = 25
    chance: random.Random = field(default_factory=random.SystemRandom)
    limits: TimeLimits = DEFAULT_LIMITS
    unreachable: UnreachableHosts = field(default_factory=UnreachableHosts)
    sts_policy: Callable[[str], StsPolicy | None] = lambda _: None
    ca_file: str = ""
    trusts_dns: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """The outcome for each addressee by its id, and whom we spoke to last ("" for nobody).

    `failed` are the addresses that were tried in vain, with why; "" for a host that has none.
    """

    outcomes: dict[int, Outcome]
    host: str = ""
    address: str = ""
    tls: TlsFacts = field(default_factory=TlsFacts)
    is_hop_down: bool = False
    failed: tuple[tuple[str, Outcome], ...] = ()


class Courier:
    """Sends messages along one route, one after another."""

    def __init__(self, route: MxRoute | RelayRoute, outside: Outside) -> None:
        self._route = route
        self._outside = outside
        self._session: Session | None = None

    def send(self, transmission: Transmission, holds_lease: Callable[[], bool]) -> Attempt:
        """Try once; every addressee has an outcome. Raises LeaseLost."""
        kept = self._session
        if kept is not None and kept.is_open and kept.transactions < TRANSACTIONS_A_SESSION:
            try:
                return self._attempt(kept, kept.transact(transmission, holds_lease))
            except SessionFailed as error:
                if error.outcome.stage is Stage.CONTENT:
                    return self._attempt(kept, _for_all(transmission, error.outcome))
        self.close()
        return self._send_anew(transmission, holds_lease)

    def close(self) -> None:
        """End the session, if one is open."""
        if self._session is not None and self._session.is_open:
            self._session.quit()
        self._session = None

    def _send_anew(self, transmission: Transmission, holds_lease: Callable[[], bool]) -> Attempt:
        """Try the endpoints in turn until one takes part in a transaction.

        After the content was sent the attempt is over, whatever happened: another host might make a double.
        """
        last: Outcome | None = None
        failed: list[tuple[str, Outcome]] = []
        spoken_to: Session | None = None
        for endpoint in self._endpoints():
            if isinstance(endpoint, Outcome):
                last = endpoint
                failed.append(("", last))
                continue
            try:
                session = self._open(endpoint)
                spoken_to = session
                outcomes = session.transact(transmission, holds_lease)
            except SessionFailed as error:
                last = error.outcome
                failed.append((endpoint.address, last))
                if last.stage is Stage.CONTENT and spoken_to:
                    return self._attempt(spoken_to, _for_all(transmission, last), failed)
                continue
            self._session = session
            return self._attempt(session, outcomes, failed)
        last = last or temporary("4.4.1", "no host could be reached")
        if last.result is Result.PERMANENT and any(
            outcome.result is not Result.PERMANENT for _, outcome in failed
        ):
            last = temporary("4.4.1", last.reply, last.host, last.stage)
        return Attempt(
            _for_all(transmission, last),
            last.host,
            is_hop_down=spoken_to is None,
            failed=tuple(failed),
        )

    def _open(self, endpoint: Endpoint) -> Session:
        outside = self._outside
        known = outside.unreachable.recall(endpoint.address, endpoint.port)
        if known is not None:
            raise SessionFailed(known)
        try:
            session = open_session(endpoint)
        except SessionFailed as error:
            if error.outcome.stage in (Stage.CONNECT, Stage.GREETING):
                outside.unreachable.remember(endpoint.address, endpoint.port, error.outcome)
            raise
        if isinstance(self._route, MxRoute) and session.greeting_name == outside.own_name.lower():
            session.quit()
            raise SessionFailed(
                permanent(
                    "5.4.6", f"mail for {self._route.domain} loops back to {outside.own_name}"
                )
            )
        return session

    def _endpoints(self) -> Iterator[Endpoint | Outcome]:
        """What to try, in order; an Outcome stands for a host that cannot be."""
        route, outside = self._route, self._outside
        if isinstance(route, RelayRoute):
            exchanges: tuple[Exchange, ...] | Outcome = (_relay_exchange(route.host),)
        else:
            exchanges = find_exchanges(
                outside.resolver, route.domain, outside.own_name, outside.chance
            )
        if isinstance(exchanges, Outcome):
            yield exchanges
            return
        policy = outside.sts_policy(route.domain) if isinstance(route, MxRoute) else None
        count = 0
        for exchange in exchanges:
            security = self._security(policy, exchange)
            if isinstance(security, Outcome):
                yield security
                continue
            for address in addresses_of(outside.resolver, exchange):
                if isinstance(address, Outcome):
                    yield address
                    continue
                if count == ENDPOINTS_AN_ATTEMPT:
                    return
                count += 1
                yield self._endpoint(exchange.host, address, security)

    def _security(self, policy: StsPolicy | None, exchange: Exchange) -> Security | Outcome:
        outside = self._outside
        if not outside.trusts_dns or not isinstance(self._route, MxRoute):
            return security_of(policy, exchange)
        records = find_tlsa(outside.resolver, exchange, outside.mx_port)
        return records if isinstance(records, Outcome) else security_of(policy, exchange, records)

    def _endpoint(self, host: str, address: str, security: Security) -> Endpoint:
        route, outside = self._route, self._outside
        if isinstance(route, RelayRoute):
            return Endpoint(
                host,
                address,
                route.port,
                outside.own_name,
                route.policy,
                route.username,
                route.password,
                route.ca_file,
                outside.limits,
            )
        return Endpoint(
            host,
            address,
            outside.mx_port,
            outside.own_name,
            security.policy,
            ca_file=outside.ca_file,
            limits=outside.limits,
            tlsa=security.tlsa,
        )

    @staticmethod
    def _attempt(
        session: Session, outcomes: dict[int, Outcome], failed: Sequence[tuple[str, Outcome]] = ()
    ) -> Attempt:
        endpoint = session.endpoint
        return Attempt(outcomes, endpoint.host, endpoint.address, session.tls, failed=tuple(failed))


def _for_all(transmission: Transmission, outcome: Outcome) -> dict[int, Outcome]:
    return {addressee.id: outcome for addressee in transmission.addressees}


def _relay_exchange(host: str) -> Exchange:
    """A relay may be given by address; its certificate is then checked against that."""
    is_address = host.replace(".", "").isdigit() or ":" in host
    return Exchange(host, host if is_address else "")
