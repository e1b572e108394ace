"""How much one client may bring in an hour."""

from routing.policies.framework import PASS, Decision, Facts, Policy, is_local


def judge(facts: Facts) -> Decision:
    if is_local(facts.client_address) or facts.rates.client < facts.number:
        return PASS
    return Decision("450 4.7.1 too much mail from this client within an hour: try again later")


POLICY = Policy(
    "Mail from one client",
    "Makes a client wait that brings mail for too many recipients. An IPv6 /64 is one client; private networks are free.",
    judge,
    number=3000,
    number_means="recipients an hour",
)
