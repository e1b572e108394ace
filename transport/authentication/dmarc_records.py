"""DMARC policy records in DNS, and the walk up the tree that finds them. RFC 9989 §4.7, §4.8, §4.10."""

import asyncio
import re
from dataclasses import dataclass
from typing import cast

from routing.evidence import PolicyWord
from transport.authentication.look_up import LookUp
from transport.dns.resolver import Status

QUERIES_MAXIMUM = 8  # of one walk (§4.10)
RECORD_OCTETS_MAXIMUM = 4096
NAME_OCTETS_MAXIMUM = 253

_VERSION = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|\Z)")
_POLICIES = ("none", "quarantine", "reject")


class DnsTrouble(Exception):
    """No answer: what a domain publishes is not known now."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a domain's owner publishes. `subdomains` is sp=, `missing` is np=; both have their defaults.

    `is_broken`: no policy can be read in it, nor does it ask for reports (§4.10.1).
    """

    domain: str
    policy: PolicyWord = "none"
    subdomains: PolicyWord = "none"
    missing: PolicyWord = "none"
    suffix: str = "u"
    is_test: bool = False
    is_strict_dkim: bool = False
    is_strict_spf: bool = False
    reports: tuple[str, ...] = ()
    is_broken: bool = False


def parse_record(domain: str, text: str) -> Record | None:
    """The record in a TXT record at `_dmarc.domain`; None if it is none. What is wrong in it has its default (§4.7)."""
    if len(text) > RECORD_OCTETS_MAXIMUM or not _VERSION.match(text):
        return None
    tags: dict[str, str] = {}
    for spec in text.split(";"):
        name, _, value = spec.partition("=")
        tags.setdefault(name.strip().lower(), value.strip())
    reports = tuple(address.strip() for address in tags.get("rua", "").split(",") if ":" in address)
    asked = [tags.get(name, "").lower() for name in ("p", "sp", "np")]
    is_readable = all(not word or word in _POLICIES for word in asked)
    if not is_readable:
        asked = ["none", "none", "none"]
    policy = asked[0] or "none"
    subdomains = asked[1] or policy
    suffix = tags.get("psd", "").lower()
    return Record(
        domain,
        policy=cast(PolicyWord, policy),
        subdomains=cast(PolicyWord, subdomains),
        missing=cast(PolicyWord, asked[2] or subdomains),
        suffix=suffix if suffix in ("y", "n") else "u",
        is_test=tags.get("t", "").lower() == "y",
        is_strict_dkim=tags.get("adkim", "").lower() == "s",
        is_strict_spf=tags.get("aspf", "").lower() == "s",
        reports=reports,
        is_broken=not is_readable and not reports,
    )


class Tree:
    """What is published, as one evaluation sees it: each name is asked for once."""

    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._records: dict[str, Record | None] = {}
        self._walks: dict[str, tuple[Record, ...]] = {}

    async def record(self, domain: str) -> Record | None:
        """The one record at `_dmarc.domain`; several are none (§4.10). Raises DnsTrouble."""
        if domain not in self._records:
            self._records[domain] = await self._ask(domain)
        return self._records[domain]

    async def walk(self, domain: str) -> tuple[Record, ...]:
        """The records at the domain and above it, the longest name first (§4.10). Raises DnsTrouble."""
        if domain not in self._walks:
            self._walks[domain] = await self._walk(domain)
        return self._walks[domain]

    async def organizational_domain(self, domain: str) -> str:
        """§4.10.2. Raises DnsTrouble."""
        found = await self.walk(domain)
        for record in found:
            if record.suffix == "n":
                return record.domain
            if record.suffix == "y" and record.domain != domain:
                labels = domain.split(".")
                return ".".join(labels[-(record.domain.count(".") + 2) :])
        return found[-1].domain if found else domain

    async def policy_record(self, domain: str) -> Record | None:
        """The record that speaks for an author's domain: its own, its organization's, or its suffix's (§4.10.1).

        Raises DnsTrouble.
        """
        if own := await self.record(domain):
            return own
        found = {record.domain: record for record in await self.walk(domain)}
        organization = await self.organizational_domain(domain)
        return found.get(organization) or next(
            (record for record in found.values() if record.suffix == "y"), None
        )

    async def exists(self, domain: str) -> bool:
        """Whether it has an A, AAAA or MX record (RFC 9989 §3.2). Raises DnsTrouble."""
        answers = await asyncio.gather(
            *(self._look_up(domain, kind) for kind in ("A", "AAAA", "MX"))
        )
        if any(answer.status is Status.FOUND for answer in answers):
            return True
        if any(answer.status is Status.NO_NAME for answer in answers):
            return False
        if any(answer.status is Status.FAILED for answer in answers):
            raise DnsTrouble(f"whether {domain} exists is not known")
        return False

    async def _walk(self, domain: str) -> tuple[Record, ...]:
        own = await self.record(domain)
        if own and own.suffix != "u":
            return (own,)
        names = names_above(domain)
        found = await asyncio.gather(*map(self.record, names), return_exceptions=True)
        records = [own] if own else []
        for one in found:
            if isinstance(one, BaseException):
                raise one
            if one:
                records.append(one)
                if one.suffix != "u":
                    break
        return tuple(records)

    async def _ask(self, domain: str) -> Record | None:
        name = f"_dmarc.{domain}"
        if len(name) > NAME_OCTETS_MAXIMUM:
            return None
        answer = await self._look_up(name, "TXT")
        if answer.status is Status.FAILED:
            raise DnsTrouble(f"the record of {domain} could not be looked up")
        found = [parse_record(domain, text.decode("latin-1")) for text in answer.texts]
        records = [record for record in found if record]
        return records[0] if len(records) == 1 else None


def names_above(domain: str) -> list[str]:
    """The names that a walk asks for after the first: at most seven, whatever the number of labels (§4.10)."""
    labels = domain.split(".")[1:][-(QUERIES_MAXIMUM - 1) :]
    return [".".join(labels[place:]) for place in range(len(labels))]
