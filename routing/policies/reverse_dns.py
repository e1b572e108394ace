"""A mail server has a name, and the name leads back to it. Nobody is refused for it: it counts (RFC 1912 §2.1)."""

import re

from routing.policies.framework import PASS, Decision, Facts, Policy
from routing.verdicts import Term

_GENERIC = re.compile(
    r"(?:^|[.-])(?:dyn(?:amic)?|dsl|adsl|dhcp|pool|ppp|cable|dial(?:up|in)?|broadband|cust(?:omer)?|client)\d*(?:[.-]|$)"
)


def judge(facts: Facts) -> Decision:
    reverse = facts.reverse_dns
    if reverse is None:
        return PASS
    if not reverse.names:
        return Decision(terms=(Term("RDNS_NONE", 1.5, "the client's address has no name"),))
    if not reverse.confirmed:
        note = f"{reverse.names[0]} does not lead back to the client"
        return Decision(terms=(Term("RDNS_UNCONFIRMED", 1.0, note),))
    if all(is_generic(name, facts.client_address) for name in reverse.confirmed):
        note = f"{reverse.confirmed[0]} is a name of a provider's customer"
        return Decision(terms=(Term("RDNS_GENERIC", 1.0, note),))
    return PASS


def is_generic(name: str, client_address: str) -> bool:
    """Whether a name is one that providers give to customers: it holds the address, or says "dsl" and the like."""
    octets = client_address.split(".")
    if len(octets) == 4:
        numbers = [number.lstrip("0") or "0" for number in re.findall(r"\d+", name)]
        for wanted in (octets, octets[::-1]):
            if any(numbers[i : i + 4] == wanted for i in range(len(numbers) - 3)):
                return True
    return _GENERIC.search(name.rpartition(".")[0].rpartition(".")[0]) is not None


POLICY = Policy(
    "Reverse DNS",
    "Counts against clients whose address has no name, a name that does not lead back, or a name of a provider's customer.",
    judge,
    needs=frozenset({"reverse_dns"}),
)
