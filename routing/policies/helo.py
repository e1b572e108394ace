"""What a client calls itself. Nobody is refused for it (RFC 5321 §4.1.4); what no mail server says counts."""

import ipaddress
import re

from routing.policies.framework import PASS, Decision, Facts, Policy, is_local
from routing.verdicts import Term

_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*)(?:\.[A-Za-z0-9_-]+)+\.?\Z")


def judge(facts: Facts) -> Decision:
    if is_local(facts.client_address):
        return PASS
    helo = facts.helo.lower().rstrip(".")
    if helo == facts.hostname.lower():
        return _against("HELO_IS_US", 3.0, "the client calls itself by this server's name")
    if helo.startswith("["):
        if _address(helo[1:].removesuffix("]").removeprefix("ipv6:")) != _address(
            facts.client_address
        ):
            return _against("HELO_OTHER_ADDRESS", 2.0, f"{facts.helo} is not the client's address")
        return PASS
    if _address(helo) is not None:
        return _against("HELO_BARE_ADDRESS", 1.5, "an address without brackets")
    if not _NAME.match(facts.helo):
        return _against("HELO_NO_NAME", 1.0, f"{facts.helo[:60]} is no full name of a host")
    return PASS


def _against(name: str, points: float, note: str) -> Decision:
    return Decision(terms=(Term(name, points, note),))


def _address(text: str) -> object:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


POLICY = Policy(
    "HELO",
    "Counts against clients that greet with this server's name, another's address, or no full name of a host.",
    judge,
)
