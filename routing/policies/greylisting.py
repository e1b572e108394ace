"""Makes unknown senders come twice: mail servers do, most spam programs do not (RFC 6647)."""

from routing.policies.framework import PASS, Decision, Facts, Policy


def judge(facts: Facts) -> Decision:
    if not facts.greylisted_seconds:
        return PASS
    minutes = -(-facts.greylisted_seconds // 60)
    return Decision(f"451 4.7.1 greylisted: try again in {minutes:g} min")


POLICY = Policy(
    "Greylisting",
    "Defers the first mail of an unknown client, sender and recipient. A provider's hosts are one client where SPF names "
    "them; a client whose mail came back for five triplets is known. It delays good mail, too.",
    judge,
    default_mode="off",
    needs=frozenset({"spf", "greylisted_seconds"}),
    number=5,
    number_means="minutes to wait",
)
