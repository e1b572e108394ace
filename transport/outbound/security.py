"""How mail for a domain has to be encrypted on its way to one of its MX hosts: by DANE, MTA-STS, or as it can be (RFC 7435).

DANE comes before MTA-STS (RFC 8461 §2), which stands in where no TLSA record can authenticate the host.
"""

from dataclasses import dataclass

from transport.outbound.dane import Tlsa
from transport.outbound.exchanges import Exchange
from transport.outbound.mta_sts import Mode, StsPolicy
from transport.outbound.tls import TlsPolicy
from transport.queue.outcomes import Outcome, temporary


@dataclass(frozen=True, slots=True)
class Security:
    """What a connection needs; `tlsa`, for TlsPolicy.DANE, are records of which one has to match."""

    policy: TlsPolicy
    tlsa: tuple[Tlsa, ...] = ()


def security_of(
    policy: StsPolicy | None, exchange: Exchange, records: tuple[Tlsa, ...] = ()
) -> Security | Outcome:
    """What a connection to the host needs, given its TLSA records; an Outcome for one that the domain's policy forbids.

    It is temporary: an attacker in DNS may go away, and a wrong policy may be mended, before the mail is returned.
    """
    usable = tuple(record for record in records if record.is_usable)
    if usable:
        return Security(TlsPolicy.DANE, usable)
    if policy is not None and policy.mode is Mode.ENFORCE:
        if not policy.permits(exchange.host):
            return temporary(
                "4.7.5", f"the MTA-STS policy does not permit {exchange.host}", exchange.host
            )
        return Security(TlsPolicy.STARTTLS)
    return Security(TlsPolicy.ENCRYPTED if records else TlsPolicy.OPPORTUNISTIC)
