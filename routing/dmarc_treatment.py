"""What is left of a domain owner's wish after the administrator's own rules: trusted ARC sealers, and overrides. Pure.

RFC 9989 §5.4 leaves to the receiver what it does; RFC 8617 §7.2 lets one who trusts a sealer believe what it saw.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from routing.evidence import Authentication, PolicyWord

RESULTS_MAXIMUM = 50  # that one sealer may tell
TEXT_MAXIMUM = 8192  # characters of what it tells

_STRICTNESS: dict[PolicyWord, int] = {"none": 0, "quarantine": 1, "reject": 2}
_PART = re.compile(
    r"""(?P<mark>[;()])|"(?P<quoted>(?:[^"\\]|\\.)*+)"|\\.|[^;()"\\]++|.""", re.DOTALL
)
_PAIR = re.compile(r"([A-Za-z0-9._-]+)\s*=\s*([^\s;]*)")


@dataclass(frozen=True, slots=True)
class SenderRules:
    """`sealers` are domains whose chains are believed; `overrides` are the most that an author's domain may ask for."""

    sealers: frozenset[str] = frozenset()
    overrides: Mapping[str, PolicyWord] = field(default_factory=dict)


NO_RULES = SenderRules()


def dmarc_treatment(authentication: Authentication, rules: SenderRules) -> PolicyWord:
    """What the author's domain asks for here: none where DMARC passed or is not known, or a trusted sealer saw it pass."""
    dmarc = authentication.dmarc
    if dmarc.policy == "none" or dmarc.result not in ("fail", "permerror"):
        return "none"
    if trusted_sealer(authentication, rules):
        return "none"
    override = override_for(dmarc.domain, rules)
    if override is None:
        return dmarc.policy
    return min(dmarc.policy, override, key=_STRICTNESS.__getitem__)


def override_for(domain: str, rules: SenderRules) -> PolicyWord | None:
    """The override of the domain, or of the nearest one above it."""
    while domain:
        if (found := rules.overrides.get(domain)) is not None:
            return found
        domain = domain.partition(".")[2]
    return None


def trusted_sealer(authentication: Authentication, rules: SenderRules) -> str:
    """The sealer who saw the author's domain pass, or "".

    Only while every newer sealer is trusted as well: what an older one said came through the newer ones' hands.
    """
    arc = authentication.arc
    if arc.result != "pass" or not arc.covers_author:
        return ""
    for one in arc.sets:
        if one.sealer not in rules.sealers:
            return ""
        if _saw_pass(one.results, authentication.dmarc.domain):
            return one.sealer
    return ""


def _saw_pass(results: str, author: str) -> bool:
    for method, result, properties in read_results(results):
        if result != "pass":
            continue
        match method:
            case "dmarc":
                named = properties.get("header.from", author)
            case "dkim":
                named = properties.get("header.d") or properties.get("header.i", "")
            case "spf":
                named = properties.get("smtp.mailfrom", "")
            case _:
                continue
        if _is_related(named.rpartition("@")[2].lower().rstrip("."), author):
            return True
    return False


def read_results(text: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """(method, result, properties) of each result of an Authentication-Results value, comments left out (RFC 8601 §2.2)."""
    for piece in _pieces(text[:TEXT_MAXIMUM])[1 : RESULTS_MAXIMUM + 1]:
        pairs = [(name.lower(), value) for name, value in _PAIR.findall(piece)]
        if pairs:
            method, result = pairs[0]
            yield method, result.lower(), dict(reversed(pairs[1:]))


def _pieces(text: str) -> list[str]:
    """What stands between semicolons; quotes are gone, and what they held has neither spaces nor semicolons."""
    pieces = [""]
    depth = 0
    for part in _PART.finditer(text):
        mark = part["mark"]
        if mark == "(":
            depth += 1
        elif mark == ")":
            depth = max(0, depth - 1)
        elif depth:
            pass
        elif mark == ";":
            pieces.append("")
        elif part["quoted"] is not None:
            pieces[-1] += re.sub(r"[\s;=]", "?", part["quoted"])
        else:
            pieces[-1] += part[0]
    return pieces


def _is_related(domain: str, author: str) -> bool:
    """The same domain, or one below the other; a top-level domain speaks for nobody."""
    return "." in domain and (
        domain == author or domain.endswith(f".{author}") or author.endswith(f".{domain}")
    )
