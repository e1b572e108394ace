"""Refuses clients that block lists name, or lets it count against their mail."""

import re

from routing.policies.framework import PASS, Decision, Facts, Policy
from routing.verdicts import Term

REFUSAL_POINTS = 8.0


def judge(facts: Facts) -> Decision:
    if not facts.listings:
        return PASS
    if sum(listing.points for listing in facts.listings) >= REFUSAL_POINTS:
        heaviest = max(facts.listings, key=lambda listing: listing.points)
        told = heaviest.text or heaviest.meaning or facts.client_address
        return Decision(f"550 5.7.1 listed by {heaviest.zone}: {told}")
    return Decision(
        terms=tuple(
            Term(_name(listing.zone), listing.points, listing.meaning) for listing in facts.listings
        )
    )


def _name(zone: str) -> str:
    return "DNSBL_" + re.sub(r"[^A-Z0-9]+", "_", zone.upper())


POLICY = Policy(
    "DNS block lists",
    f"Asks the block lists about the client. Listings worth {REFUSAL_POINTS:g} points together are refused, fewer count "
    "for spam. Clients of private networks are not asked about.",
    judge,
    needs=frozenset({"listings"}),
)
