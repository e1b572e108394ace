"""A bounce is for the one who sent the message: the null reverse-path has one recipient (RFC 5321 §4.5.5, §3.6.3)."""

from routing.policies.framework import PASS, Decision, Facts, Policy


def judge(facts: Facts) -> Decision:
    if facts.reverse_path is None and facts.recipients:
        return Decision(
            "452 4.5.3 a bounce has one recipient: send the others theirs by themselves"
        )
    return PASS


POLICY = Policy(
    "Bounces to several",
    "A message without a sender (a bounce) is taken for its first recipient only: its sender repeats it for each other.",
    judge,
)
