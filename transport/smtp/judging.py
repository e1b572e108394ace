"""What is found out about a message while its sender waits, after its last octet: on port 25 only.

Whatever fails or takes too long is left out, and the trace says so: a step that fails stops no mail.
"""

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from accounts.mailstore.headers import HEADER_LIMIT, fields, header_end
from routing.envelope import Client
from routing.evidence import Authentication, DmarcEvidence, SpfEvidence
from routing.judging import Findings
from routing.local_authors import is_from_list, unproven_authors
from transport.authentication.authenticate import authenticate, find_author_domains, within
from transport.authentication.dmarc import only_author
from transport.authentication.results_field import results_field, without_forged
from transport.consignments import path_text
from transport.dns.resolver import resolver
from transport.filters.asking import Filters
from transport.filters.values import Envelope, FilterAnswers
from transport.smtp.judgement import Gathered
from transport.smtp.policing import Policing
from transport.smtp.syntax import format_address
from transport.smtp.transaction import Transaction

JUDGING_SECONDS = 10.0  # for all of it
RESERVE_SECONDS = 2.0  # of it, after the last answer of DNS that counts
UNSCANNED = "451 4.7.1 the message could not be scanned for viruses: try again later"

T = TypeVar("T")

log = logging.getLogger(__name__)


class Judging:
    """One a process. All methods belong to the event loop, and none raises."""

    def __init__(self, hostname: str, policing: Policing, filters: Filters) -> None:
        self._hostname = hostname
        self._policing = policing
        self._filters = filters

    async def gather(
        self, transaction: Transaction, client: Client, content: bytes
    ) -> tuple[bytes, Gathered]:
        """The message as it is to be kept, and what is known of it."""
        try:
            return await self._gather(transaction, client, content)
        except Exception:
            log.exception("%s: judging failed", transaction.trace_id)
            return content, Gathered(Findings(tuple(transaction.terms), notes=("judging failed",)))

    async def _gather(
        self, transaction: Transaction, client: Client, content: bytes
    ) -> tuple[bytes, Gathered]:
        if header_end(content) > HEADER_LIMIT:  # it will be refused
            return content, Gathered()
        steps = _Steps(transaction.trace_id)
        asked = self._filters.ask(content, _envelope(transaction, client))
        authentication, answers = await asyncio.gather(
            _authenticate(steps, transaction, content),
            steps.bounded("filters", asked, FilterAnswers()),
        )
        is_listed = is_from_list((field.name for field in fields(content)), authentication)
        findings = Findings(
            (*transaction.terms, *answers.terms),
            is_allowed=transaction.is_allowed or self._allows_author(content, authentication),
            is_doubtful=authentication.spf.result == "fail",
            is_from_list=is_listed,
            virus=answers.virus if answers.is_scanned else None,
            notes=(*steps.notes, *answers.notes),
        )
        field = results_field(
            self._hostname,
            authentication,
            sender=path_text(transaction.mail.reverse_path),
            client_address=client.address,
        )
        is_asked = steps.has_authenticated and not is_listed
        authors = await find_author_domains(content) if is_asked else ()
        return without_forged(content, self._hostname), Gathered(
            findings,
            field,
            authentication,
            unproven_authors(authors, authentication),
            UNSCANNED if answers.is_unscanned else "",
        )

    def _allows_author(self, content: bytes, authentication: Authentication) -> bool:
        """An author may be allowed whom DMARC proves: anybody can write a name."""
        dmarc = authentication.dmarc
        if dmarc.result != "pass" or not self._policing.lists_authors:
            return False
        author = only_author(content)
        if author is None or dmarc.domain != author.domain:
            return False
        return self._policing.allows_author(author)


class _Steps:
    """Runs what may fail, all within one time."""

    def __init__(self, trace_id: str) -> None:
        self.notes: list[str] = []
        self.has_authenticated = False
        self._trace_id = trace_id
        self._until = asyncio.get_running_loop().time() + JUDGING_SECONDS

    @property
    def seconds_left(self) -> float:
        return self._until - asyncio.get_running_loop().time()

    async def bounded(self, name: str, step: Awaitable[T], otherwise: T) -> T:
        try:
            async with asyncio.timeout_at(self._until):
                return await step
        except TimeoutError:
            self.notes.append(f"{name} took too long")
        except Exception:
            log.exception("%s: %s failed", self._trace_id, name)
            self.notes.append(f"{name} failed")
        return otherwise


async def _authenticate(steps: _Steps, transaction: Transaction, content: bytes) -> Authentication:
    spf = await steps.bounded("SPF", _spf(transaction), SpfEvidence("temperror"))
    unknown = Authentication(spf, dmarc=DmarcEvidence("temperror"))
    # what is known by then is not lost: a domain that never answers must not hide that another did not pass
    look_up = within(steps.seconds_left - RESERVE_SECONDS, resolver().look_up_async)
    found = await steps.bounded("authentication", authenticate(content, spf, look_up), unknown)
    steps.has_authenticated = found is not unknown
    return found


def _envelope(transaction: Transaction, client: Client) -> Envelope:
    return Envelope(
        client.address,
        client.helo,
        path_text(transaction.mail.reverse_path),
        tuple(format_address(recipient.address) for recipient, _ in transaction.resolved),
    )


async def _spf(transaction: Transaction) -> SpfEvidence:
    """It was asked for at MAIL."""
    return SpfEvidence("none") if transaction.spf is None else await transaction.spf
