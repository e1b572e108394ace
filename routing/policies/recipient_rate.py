"""How much may come for one recipient in an hour, as after a list-bombing."""

from routing.policies.framework import PASS, Decision, Facts, Policy, is_local


def judge(facts: Facts) -> Decision:
    if is_local(facts.client_address) or facts.rates.recipient < facts.number:
        return PASS
    return Decision("450 4.2.1 too much mail for this recipient within an hour: try again later")


POLICY = Policy(
    "Mail for one recipient",
    "Makes mail wait for an address that gets too much of it at once.",
    judge,
    number=500,
    number_means="messages an hour",
)
