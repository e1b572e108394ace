"""What is known of a message's sender before it is judged: who sent it, by SPF, DKIM, ARC and DMARC. Frozen values.

`transport.authentication` gathers them; `transport.authentication.results_field` writes them down (RFC 8601).
"""

from dataclasses import dataclass
from typing import Literal

SpfWord = Literal["pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"]
DkimWord = Literal["pass", "fail", "policy", "neutral", "temperror", "permerror"]
ArcWord = Literal["none", "pass", "fail"]
DmarcWord = Literal["none", "pass", "fail", "temperror", "permerror"]
PolicyWord = Literal["none", "quarantine", "reject"]


@dataclass(frozen=True, slots=True)
class SpfEvidence:
    """RFC 7208 §2.6. `identity` is what was checked, `domain` whose record; the null reverse-path is postmaster@HELO (§2.4)."""

    result: SpfWord
    domain: str = ""
    identity: Literal["mailfrom", "helo"] = "mailfrom"
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class DkimEvidence:
    """One signature (RFC 6376 §3.5). `tag_b` is the beginning of its b= value, which tells it from others (RFC 6008)."""

    result: DkimWord
    domain: str
    selector: str = ""
    algorithm: str = ""
    tag_b: str = ""
    is_testing: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ArcSet:
    """What one sealer said (RFC 8617 §4.2.1): `results` is the text of its ARC-Authentication-Results."""

    instance: int
    sealer: str
    results: str


@dataclass(frozen=True, slots=True)
class ArcEvidence:
    """The chain (RFC 8617 §5.2), its `sets` newest first; they are empty unless the result is pass.

    `covers_author`: the newest sealer signed From; without that a chain says nothing of an author.
    """

    result: ArcWord
    sets: tuple[ArcSet, ...] = ()
    reason: str = ""
    covers_author: bool = False


@dataclass(frozen=True, slots=True)
class DmarcEvidence:
    """RFC 9989. `domain` is the author's; `policy` is what its owner asks for here (`sp`, `np` and `t` seen to).

    `record_domain` is where the record stands. `aligned` names what passed: "spf", "dkim". `is_test`: its owner only tests
    the policy (t=y).
    """

    result: DmarcWord
    domain: str = ""
    policy: PolicyWord = "none"
    record_domain: str = ""
    aligned: tuple[str, ...] = ()
    reason: str = ""
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Authentication:
    """All of it for one message."""

    spf: SpfEvidence
    dkim: tuple[DkimEvidence, ...] = ()
    arc: ArcEvidence = ArcEvidence("none")
    dmarc: DmarcEvidence = DmarcEvidence("none")
