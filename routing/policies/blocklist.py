"""Refuses whom the administrator has put on the block list."""

from routing.policies.framework import PASS, Decision, Facts, Policy


def judge(facts: Facts) -> Decision:
    if facts.blocked is None:
        return PASS
    return Decision(f"550 5.7.1 blocked here: {facts.blocked.reason or facts.blocked.value}")


POLICY = Policy(
    "Block list",
    "Refuses clients and senders that stand on the block list, and tells them the reason.",
    judge,
)
