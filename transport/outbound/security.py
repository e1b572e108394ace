"""How mail for a domain has to be encrypted on its way to one of its MX hosts (RFC 8461 §4, §5; RFC 7435)."""

from transport.outbound.exchanges import Exchange
from transport.outbound.mta_sts import Mode, StsPolicy
from transport.outbound.tls import TlsPolicy
from transport.queue.outcomes import Outcome, temporary


def security_of(policy: StsPolicy | None, exchange: Exchange) -> TlsPolicy | Outcome:
    """What a connection to the host needs; an Outcome for a host that the domain's policy forbids.

    It is temporary: an attacker in DNS may go away, and a wrong policy may be mended, before the mail is returned.
    """
    if policy is None or policy.mode is not Mode.ENFORCE:
        return TlsPolicy.OPPORTUNISTIC
    if not policy.permits(exchange.host):
        return temporary(
            "4.7.5", f"the MTA-STS policy does not permit {exchange.host}", exchange.host
        )
    return TlsPolicy.STARTTLS
