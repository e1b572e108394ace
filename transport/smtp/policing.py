"""Asks the policies at RCPT on port 25: gathers what they need, keeps what the administrator has set, counts hits.

Gathering begins at MAIL and goes on while the client sends its next commands. A policy that fails, or a fact that does not
come in time, refuses nobody.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Coroutine, Iterable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from accounts.addresses import Address
from routing.envelope import Envelope
from routing.evidence import SpfEvidence
from routing.policies.dnsbl_zones import DnsblZone, parse_codes
from routing.policies.framework import Decision, Facts, Mode, Policy, is_local, policies
from routing.policies.sender_lists import ListedSender, SenderLists
from routing.verdicts import Term
from transport.authentication.spf import check_spf
from transport.database_threads import Connection, DatabaseThreads
from transport.dns.resolver import resolver
from transport.smtp.admission import Claim, judge_claim
from transport.smtp.client_facts import BlockLists, find_reverse_dns
from transport.smtp.greylist import forget_old_triplets, greylisted_seconds
from transport.smtp.rates import RateCounts, add_counts, forget_old_counts
from transport.smtp.transaction import Transaction

REFRESH_SECONDS = 3.0
GATHER_SECONDS = 6.0  # for one fact, from MAIL on
COUNT_SECONDS = 1.0
SWEEP_SECONDS = 600.0
LOCAL_DOMAIN_SECONDS = 2.0  # for so long is it remembered that a sender's domain is not ours
REMEMBERED_DOMAINS = 2000
REPLY_MAXIMUM = 500  # RFC 5321 §4.5.3.1.5
POSTMASTER = "postmaster"
OF_RECIPIENT = frozenset({"greylisted_seconds"})  # facts that are found at RCPT

log = logging.getLogger(__name__)

_SETTINGS = "SELECT name, mode, number FROM routing_policysetting"
_LISTS_STATE = """
SELECT count(*), coalesce(max(id), 0), max(changed_at), count(*) FILTER (WHERE expires_at < now())
FROM routing_listedsender
"""
_LISTS = """
SELECT id, kind, value, reason FROM routing_listedsender WHERE expires_at IS NULL OR expires_at >= now()
ORDER BY id
"""
_HITS = """
UPDATE routing_listedsender l SET hits = l.hits + h.hits, last_hit_at = now()
FROM unnest(%s::bigint[], %s::bigint[]) h (id, hits) WHERE l.id = h.id
"""
_ZONES = "SELECT zone, points, codes FROM routing_dnsblzone WHERE is_active ORDER BY zone"
_ZONE_HITS = """
UPDATE routing_dnsblzone z SET hits = z.hits + h.hits, last_hit_at = now()
FROM unnest(%s::text[], %s::bigint[]) h (zone, hits) WHERE z.zone = h.zone
"""
_ZONE_PROBLEMS = """
UPDATE routing_dnsblzone z SET problem = left(p.problem, 300), problem_at = now()
FROM unnest(%s::text[], %s::text[]) p (zone, problem) WHERE z.zone = p.zone
"""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who is at the door, and with what."""

    client_address: str
    helo: str
    hostname: str
    reverse_path: Address | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """`policy` is the name of the one that refuses."""

    reply: str
    policy: str


ListsState = tuple[int, int, datetime | None, int]


@dataclass(frozen=True, slots=True)
class _Set:
    """What the administrator has set, as it was a few seconds ago."""

    modes: Mapping[str, Mode]
    numbers: Mapping[str, int]
    zones: tuple[DnsblZone, ...]
    lists: SenderLists
    state: ListsState | None = None


@dataclass(frozen=True, slots=True)
class _News:
    """What came up since the last time: hits of list entries and of zones, problems of zones."""

    hits: Mapping[int, int]
    zone_problems: Mapping[str, str]
    zone_hits: Mapping[str, int]


class Policing:
    """One a process. All methods belong to the event loop."""

    def __init__(self, database: DatabaseThreads) -> None:
        policies()  # a broken one is noticed now
        self._database = database
        self._set: _Set | None = None
        self._hits: Counter[int] = Counter()
        self._block_lists = BlockLists()
        self._rates = RateCounts()
        self._foreign: dict[str, float] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Follow the administrator, for ever."""
        while True:
            try:
                await self.refresh()
            except Exception:
                log.exception("policies and lists could not be read")
            await asyncio.sleep(REFRESH_SECONDS)

    async def count(self) -> None:
        """Tell the other processes of the recipients that were accepted here, for ever, and drop what is old."""
        swept_at = time.monotonic()
        while True:
            await asyncio.sleep(COUNT_SECONDS)
            try:
                await self._count()
                if time.monotonic() - swept_at > SWEEP_SECONDS:
                    swept_at = time.monotonic()
                    await self._database.run(forget_old_counts)
                    await self._database.run(forget_old_triplets)
            except Exception:
                log.exception("rates could not be counted")

    async def close(self) -> None:
        """End what is being gathered, and write down the last hits and counts."""
        for task in self._tasks:
            task.cancel()
        try:
            await self._count()
            await self.refresh()
        except Exception as error:
            log.warning("the last hits of lists are not counted: %s", error)

    async def _count(self) -> None:
        new = self._rates.take()
        if not new:
            return
        try:
            self._rates.learn(await self._database.run(add_counts, new))
        except Exception:
            self._rates.give_back(new)
            raise

    async def refresh(self) -> None:
        """Read settings and lists where they have changed, and write down the hits."""
        hits, self._hits = self._hits, Counter()
        news = _News(hits, *self._block_lists.take_news())
        try:
            self._set = await self._database.run(_read, self._set, news)
        except Exception:
            self._hits += hits
            raise

    async def begin(
        self, visit: Visit, transaction: Transaction, earlier: Iterable[Awaitable[Any]]
    ) -> None:
        """Start to gather what policies need to know of this transaction.

        `earlier` are the facts of the one before on this connection. What is still being found out has to end first: who
        says MAIL and RSET in turns would fill the memory with questions.
        """
        await asyncio.gather(*earlier, return_exceptions=True)
        needed = {"spf"}
        if not self._is_client_allowed(visit.client_address):
            for name, policy in policies().items():
                if self._mode(name, policy) != "off":
                    needed |= policy.needs
        self._find_out(needed, visit, transaction)
        transaction.spf = transaction.facts["spf"]

    async def judge_sender(self, visit: Visit, transaction: Transaction) -> Refusal | None:
        """What is said at MAIL, of the sender alone."""
        if self._set is None:
            await self.refresh()
        if self._is_client_allowed(visit.client_address):
            return None
        nobody = Address(POSTMASTER, visit.hostname)
        return await self._ask(visit, transaction, nobody, [], is_of_sender=True)

    async def judge(
        self, visit: Visit, transaction: Transaction, recipient: Address
    ) -> Refusal | None:
        """The refusal of a recipient. Terms and whether the sender is allowed are kept on the transaction."""
        if self._set is None:
            await self.refresh()
        assert self._set is not None
        listed = self._set.lists.find(visit.client_address, visit.reverse_path)
        is_allowed = await self._is_allowed(listed, transaction)
        if is_allowed or recipient.local_part.lower() == POSTMASTER:  # RFC 5321 §4.5.1
            return None
        return await self._ask(visit, transaction, recipient, listed, is_of_sender=False)

    def count_accepted(self, client_address: str, envelope: Envelope) -> None:
        """A message was taken: what was only tried counts for no rate, or anybody could fill another's."""
        for recipient in envelope.recipients:
            self._rates.count(client_address, envelope.reverse_path, recipient.address)

    async def _ask(
        self,
        visit: Visit,
        transaction: Transaction,
        recipient: Address,
        listed: list[ListedSender],
        *,
        is_of_sender: bool,
    ) -> Refusal | None:
        """What the policies say."""
        known = {
            name: policy
            for name, policy in policies().items()
            if policy.is_of_sender is is_of_sender
        }
        active = {name: self._mode(name, policy) for name, policy in known.items()}
        needed = {need for name in known if active[name] != "off" for need in known[name].needs}
        self._find_out(needed, visit, transaction)  # what was switched on since MAIL
        blocked = next((entry for entry in listed if entry.kind == "block"), None)
        facts = Facts(
            client_address=visit.client_address,
            helo=visit.helo,
            hostname=visit.hostname,
            reverse_path=visit.reverse_path,
            recipient=recipient,
            recipients=len(transaction.resolved),
            declared_size=transaction.mail.size,
            blocked=blocked,
            rates=self._rates.rates(visit.client_address, visit.reverse_path, recipient),
            **{name: await transaction.facts[name] for name in needed - OF_RECIPIENT},
        )
        if "greylisted_seconds" in needed and not is_local(visit.client_address):
            minutes = self._number("greylisting", known["greylisting"])
            seconds = await self._greylisted_seconds(facts, 60.0 * minutes)
            facts = replace(facts, greylisted_seconds=seconds)
        for name, policy in known.items():
            if active[name] == "off":
                continue
            number = self._number(name, policy)
            told = replace(facts, number=number) if number else facts
            decision = _judged(name, policy, told)
            if active[name] == "note":
                transaction.note(_noted(name, decision))
                continue
            if name == "blocklist" and decision.reply and blocked is not None:
                self._hits[blocked.id] += 1
            for term in decision.terms:
                transaction.note(term)
            if decision.reply:
                return Refusal(_one_line(decision.reply), name)
        return None

    @property
    def lists_authors(self) -> bool:
        """Whether the lists name any sender at all."""
        return self._set is not None and self._set.lists.names_senders

    def allows_author(self, author: Address) -> bool:
        """Whether the allow list names the author of a message, who has been proven (by DMARC)."""
        if self._set is None:
            return False
        entry = next(self._set.lists.allowed(author), None)
        if entry is not None:
            self._hits[entry.id] += 1
        return entry is not None

    def _is_client_allowed(self, client_address: str) -> bool:
        """Whether no policy will be asked about it."""
        listed = self._set.lists.find(client_address, None) if self._set is not None else ()
        return any(entry.kind == "allow" for entry in listed)

    async def _is_allowed(self, listed: list[ListedSender], transaction: Transaction) -> bool:
        """Whether an entry of the allow list holds at RCPT. One of a sender needs a proof, here SPF's."""
        allowed = next((entry for entry in listed if entry.kind == "allow"), None)
        if allowed is None:
            return False
        transaction.is_allowed = allowed.names_client
        if not transaction.is_allowed:
            spf = await transaction.spf if transaction.spf is not None else None
            if spf is None or spf.result != "pass":
                return False
        if transaction.allowed_by != allowed.id:
            transaction.allowed_by = allowed.id
            self._hits[allowed.id] += 1
        return True

    def _mode(self, name: str, policy: Policy) -> Mode:
        modes = self._set.modes if self._set is not None else {}
        return modes.get(name, policy.default_mode)

    def _number(self, name: str, policy: Policy) -> int:
        numbers = self._set.numbers if self._set is not None else {}
        return numbers.get(name, policy.number)

    async def _greylisted_seconds(self, facts: Facts, wait_seconds: float) -> float | None:
        try:
            return await self._database.run(
                greylisted_seconds,
                facts.client_address,
                facts.spf,
                facts.reverse_path,
                facts.recipient,
                wait_seconds,
            )
        except Exception:
            log.exception("the grey list could not be asked; it delays nobody")
            return None

    async def _gather(self, name: str, visit: Visit) -> Any:
        """How each field of `Facts` is found that a policy may need."""
        look_up, client = resolver().look_up_async, visit.client_address
        match name:
            case "spf":
                sender, recall = str(visit.reverse_path or ""), resolver().recall
                return await check_spf(client, sender, visit.helo, visit.hostname, look_up, recall)
            case "doubtful_claim":
                is_doubtful = await self._is_doubtful_claim(visit)
                return (await self._gather("spf", visit)).result if is_doubtful else ""
            case "reverse_dns":
                return await find_reverse_dns(client, look_up)
            case "listings":
                zones = self._set.zones if self._set is not None else ()
                return await self._block_lists.ask(client, zones, look_up)
        raise KeyError(name)

    async def _is_doubtful_claim(self, visit: Visit) -> bool:
        """That a domain is not ours is remembered for a moment: it is true of every client."""
        sender, now = visit.reverse_path, time.monotonic()
        if sender is None or self._foreign.get(sender.domain, 0.0) > now:
            return False
        claim = await self._database.run(judge_claim, sender, visit.client_address)
        if claim is Claim.FOREIGN:
            if len(self._foreign) >= REMEMBERED_DOMAINS:
                self._foreign.clear()
            self._foreign[sender.domain] = now + LOCAL_DOMAIN_SECONDS
        return claim is Claim.DOUBTFUL

    def _find_out(self, needed: Set[str], visit: Visit, transaction: Transaction) -> None:
        for name in needed - OF_RECIPIENT - transaction.facts.keys():
            transaction.facts[name] = self._start(name, visit)

    def _start(self, name: str, visit: Visit) -> asyncio.Task[Any]:
        task = asyncio.create_task(_bounded(name, self._gather(name, visit)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _bounded(name: str, gathering: Coroutine[Any, Any, Any]) -> Any:
    """None where there is no answer in time; SPF has a word for that."""
    try:
        async with asyncio.timeout(GATHER_SECONDS):
            return await gathering
    except TimeoutError:
        pass
    except Exception:
        log.exception("%s could not be found out", name)
    return SpfEvidence("temperror") if name == "spf" else None


def _judged(name: str, policy: Policy, facts: Facts) -> Decision:
    try:
        return policy.judge(facts)
    except Exception:
        log.exception("policy %s failed; it refuses nobody", name)
        return Decision()


def _one_line(reply: str) -> str:
    """ASCII (RFC 5321 §4.2), whatever the administrator wrote as the reason."""
    return "".join(sign if " " <= sign <= "~" else "?" for sign in reply)[:REPLY_MAXIMUM]


def _noted(name: str, decision: Decision) -> Term | None:
    """What a policy that is only noted would have done: told with the message, worth nothing."""
    if decision.reply:
        return Term(name.upper(), 0.0, f"only noted: {decision.reply}")
    if decision.terms:
        terms = ", ".join(f"{term.name} {term.points:g}" for term in decision.terms)
        return Term(name.upper(), 0.0, f"only noted: {terms}")
    return None


def _read(db: Connection, known: _Set | None, news: _News) -> _Set:
    if news.hits:
        db.execute(_HITS, (list(news.hits), list(news.hits.values())))
    if news.zone_hits:
        db.execute(_ZONE_HITS, (list(news.zone_hits), list(news.zone_hits.values())))
    if news.zone_problems:
        db.execute(_ZONE_PROBLEMS, (list(news.zone_problems), list(news.zone_problems.values())))
    zones = []
    for name, points, codes in db.execute(_ZONES, prepare=True).fetchall():
        try:
            zones.append(DnsblZone(name, points, parse_codes(codes)))
        except ValueError as error:  # written past the form
            log.error("the block list %s is not asked: %s", name, error)
    rows = db.execute(_SETTINGS, prepare=True).fetchall()
    modes: dict[str, Mode] = {name: mode for name, mode, _ in rows}
    numbers = {name: number for name, _, number in rows if number is not None}
    state: Any = db.execute(_LISTS_STATE, prepare=True).fetchone()
    if known is not None and known.state == state:
        return _Set(modes, numbers, tuple(zones), known.lists, state)
    entries = (ListedSender(*row) for row in db.execute(_LISTS).fetchall())
    return _Set(modes, numbers, tuple(zones), SenderLists(entries), state)
