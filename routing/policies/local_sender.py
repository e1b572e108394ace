"""Who outside says MAIL FROM a domain of ours: the domain has to authorise the client by SPF (RFC 7208), whatever it says of others.

What we forwarded comes back from an address that we gave it, and hosts that may send for us are listed by the administrator.
"""

from routing.policies.framework import PASS, Decision, Facts, Policy


def judge(facts: Facts) -> Decision:
    if facts.doubtful_claim is None:
        return Decision("451 4.3.0 whether the sender is one of ours cannot be found out now")
    if facts.doubtful_claim in ("", "pass"):
        return PASS
    if facts.doubtful_claim == "temperror":
        return Decision("451 4.4.3 SPF could not be evaluated now")
    return Decision(
        "550 5.7.1 mail from this domain is taken from its own users and authorised hosts only"
    )


POLICY = Policy(
    "Senders of our own domains",
    "Refuses MAIL FROM a domain of this server unless the domain's SPF record names the client, or the allowed clients do.",
    judge,
    needs=frozenset({"doubtful_claim"}),
    is_of_sender=True,
)
