"""How much one sender's address may bring in an hour."""

from routing.policies.framework import PASS, Decision, Facts, Policy, is_local


def judge(facts: Facts) -> Decision:
    if is_local(facts.client_address) or facts.rates.sender < facts.number:
        return PASS
    return Decision("450 4.7.1 too much mail from this sender within an hour: try again later")


POLICY = Policy(
    "Mail from one sender",
    "Makes a sender's address wait that writes to too many recipients. Bounces have no sender and are free.",
    judge,
    number=1000,
    number_means="recipients an hour",
)
