"""The administrator's rules for authors' domains, as a process remembers them for a few seconds."""

import time
from typing import Any

import psycopg

from routing.dmarc_treatment import NO_RULES, SenderRules

REMEMBERED_SECONDS = 5.0

_RULES = """
SELECT domain, NULL FROM routing_trustedsealer UNION ALL SELECT domain, policy FROM routing_dmarcoverride
"""
_remembered: tuple[float, SenderRules] = (float("-inf"), NO_RULES)


def sender_rules(db: psycopg.Connection[tuple[Any, ...]]) -> SenderRules:
    """The rules as they were at most REMEMBERED_SECONDS ago."""
    global _remembered
    read_at, rules = _remembered
    now = time.monotonic()
    if now - read_at > REMEMBERED_SECONDS:
        rules = read_sender_rules(db)
        _remembered = (now, rules)
    return rules


def read_sender_rules(db: psycopg.Connection[tuple[Any, ...]]) -> SenderRules:
    """The rules as they are."""
    rows = db.execute(_RULES, prepare=True).fetchall()
    return SenderRules(
        frozenset(domain for domain, policy in rows if policy is None),
        {domain: policy for domain, policy in rows if policy is not None},
    )
