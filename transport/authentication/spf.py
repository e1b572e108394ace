"""SPF (RFC 7208): pyspf evaluates, the given look-up asks DNS, no thread waits.

pyspf is synchronous. It answers itself from what is known; at the first name that is not, evaluation stops, the name is
looked up, and evaluation begins anew. Its own limits (ten terms that ask, two void look-ups) bound the number of turns.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Literal

import spf

from routing.evidence import SpfEvidence, SpfWord
from transport.authentication.look_up import LookUp
from transport.dns.resolver import Answer, Status

QUERY_SECONDS = 20.0  # RFC 7208 §4.6.4
LOOK_UPS_MAXIMUM = 150  # ten terms, each with a name and ten hosts, and what explains a fail
HOSTS_MAXIMUM = 10  # of one MX or PTR answer (§4.6.4)
RECORD_OCTETS_MAXIMUM = 4096  # §3.4 recommends 450
SPECIFICATION_MAXIMUM = 512  # characters of a domain-spec before its macros are expanded: pyspf's time grows with the square
CPU_SECONDS = 0.25  # for all turns
EXPLANATION_MAXIMUM = 500  # characters

log = logging.getLogger(__name__)

_Question = tuple[str, str]
Recall = Callable[[str, str], Answer | None]


def _nothing(name: str, record_type: str) -> Answer | None:
    return None


async def check_spf(
    client_address: str,
    sender: str,
    helo: str,
    hostname: str,
    look_up: LookUp,
    recall: Recall = _nothing,
) -> SpfEvidence:
    """What the sender's domain says of this client. Never raises for what DNS holds.

    `sender` is `local@domain`, or "" for the null reverse-path: then postmaster at `helo` is checked (§2.4).
    `hostname` is our own name, for macros; `recall` has answers that are known already. Trouble with DNS is temperror.
    """
    identity: Literal["mailfrom", "helo"] = "mailfrom" if sender else "helo"
    domain = (sender.rpartition("@")[2] if sender else helo).lower().rstrip(".")
    try:
        async with asyncio.timeout(QUERY_SECONDS):
            word, explanation = await _evaluate(
                client_address, sender, helo, hostname, look_up, recall
            )
    except TimeoutError:
        word, explanation = "temperror", ""
    return SpfEvidence(word, domain, identity, explanation)


async def _evaluate(
    client_address: str, sender: str, helo: str, hostname: str, look_up: LookUp, recall: Recall
) -> tuple[SpfWord, str]:
    result: SpfWord
    known: dict[_Question, Answer] = {}
    began = ""
    spent = 0.0
    while spent < CPU_SECONDS:
        query = _Query(client_address, sender, helo, hostname, known, recall)
        query.t = began = began or query.t  # one time in every turn: %{t} is part of names
        result, explanation = "permerror", ""
        started = time.thread_time()
        try:
            result, _, explanation = query.check()
        except _UnknownError:
            pass
        except Exception:
            log.exception("SPF of %r could not be evaluated", sender or helo)
        spent += time.thread_time() - started
        missing = query.missing
        if not missing:
            return result, explanation[:EXPLANATION_MAXIMUM] if result == "fail" else ""
        if len(known) + len(missing) > LOOK_UPS_MAXIMUM:
            break
        answers = await asyncio.gather(*(look_up(*question) for question in missing))
        known.update(zip(missing, answers, strict=True))
    return "permerror", ""


class _UnknownError(Exception):
    """Evaluation needs answers. pyspf may catch it on its way (exp=): `missing` of the query has them."""


class _Query(spf.query):  # type: ignore[misc]
    """One turn of pyspf over the answers known so far; it neither asks nor keeps anything itself."""

    def __init__(
        self,
        client_address: str,
        sender: str,
        helo: str,
        hostname: str,
        known: dict[_Question, Answer],
        recall: Recall,
    ) -> None:
        super().__init__(i=client_address, s=sender, h=helo, receiver=hostname)
        self.set_default_explanation("")
        self._known = known
        self._recall = recall
        self.missing: list[_Question] = []

    def dns(
        self, name: str, qtype: str, cnames: object = None, ignore_void: bool = False
    ) -> list[Any]:
        """The values of the records; our resolver has followed aliases."""
        question = _question(name, qtype)
        if question is None:
            return []
        self._need([question])
        answer = self._known[question]
        if answer.status is Status.FAILED:
            raise spf.TempError(f"DNS {answer.reason}")
        values = [_value(qtype, record) for record in answer.records]
        if qtype == "TXT":
            values = list(filter(_is_short, values))
        if not values and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > spf.MAX_VOID_LOOKUPS:
                raise spf.PermError("too many void look-ups")
        return values

    def expand(self, text: str, stripdot: bool = True) -> str:
        """A domain-spec, or an explanation (`stripdot` is false), with its macros expanded."""
        if stripdot and len(text) > SPECIFICATION_MAXIMUM:
            raise spf.PermError("a domain-spec is too long")
        return str(super().expand(text, stripdot))

    def dns_mx(self, domainname: str) -> list[Any]:
        known = self.dns(domainname, "MX", ignore_void=True)
        self._need_addresses([host for _, host in known])
        addresses: list[Any] = super().dns_mx(domainname)
        return addresses

    def validated_ptrs(self) -> list[str]:
        """Here trouble with DNS means that a name is passed over (§5.5), which pyspf does not do."""
        try:
            hosts = self.dns_ptr(self.i)[:HOSTS_MAXIMUM]
        except spf.TempError:
            return []
        self._need_addresses(hosts)
        return [host for host in hosts if self._is_at(host)]

    def _is_at(self, host: str) -> bool:
        try:
            return bool(self.cidrmatch(self.dns_a(host, self.A), self.cidrmax))
        except spf.TempError:
            return False

    def _need_addresses(self, hosts: list[str]) -> None:
        """All at once instead of one a turn."""
        questions = (_question(host, self.A) for host in hosts[:HOSTS_MAXIMUM])
        self._need([question for question in questions if question])

    def _need(self, questions: list[_Question]) -> None:
        missing = []
        for question in questions:
            if question in self._known:
                continue
            answer = self._recall(*question)
            if answer is None:
                missing.append(question)
            else:
                self._known[question] = answer
        if missing:
            self.missing = list(dict.fromkeys([*self.missing, *missing]))
            raise _UnknownError


def _question(name: str, qtype: str) -> _Question | None:
    """None for what is no name of DNS: it has no records (RFC 7208 §4.3)."""
    name = name.removesuffix(".").lower()
    if len(name) > 253 or not all(0 < len(label) < 64 for label in name.split(".")):
        return None
    return name, qtype


def _is_short(strings: tuple[bytes, ...]) -> bool:
    """Whether a TXT record may be looked at. Raises PermError for an SPF record that may not: it would mean something."""
    if sum(map(len, strings)) <= RECORD_OCTETS_MAXIMUM:
        return True
    if strings[0][:6].lower() == b"v=spf1":
        raise spf.PermError("the record is too long")
    return False


def _value(record_type: str, record: Any) -> Any:
    match record_type:
        case "A" | "AAAA":
            return record.address
        case "MX":
            return record.preference, record.exchange.to_text(True)
        case "PTR":
            return record.target.to_text(True)
        case _:
            return record.strings
