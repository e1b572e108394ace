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
from transport.authentication.authenticate import authenticate
from transport.authentication.dmarc import author_domains
from transport.authentication.results_field import results_field, without_forged
from transport.consignments import path_text
from transport.dns.resolver import resolver
from transport.smtp.judgement import Gathered
from transport.smtp.transaction import Transaction

JUDGING_SECONDS = 10.0  # for all of it

T = TypeVar("T")

log = logging.getLogger(__name__)


class Judging:
    """One a process. All methods belong to the event loop, and none raises."""

    def __init__(self, hostname: str) -> None:
        self._hostname = hostname

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
        spf = await steps.bounded("SPF", _spf(transaction), SpfEvidence("temperror"))
        unknown = Authentication(spf, dmarc=DmarcEvidence("temperror"))
        authentication = await steps.bounded(
            "authentication", authenticate(content, spf, resolver().look_up_async), unknown
        )
        is_listed = is_from_list((field.name for field in fields(content)), authentication)
        is_proven = is_listed or authentication is unknown
        findings = Findings(
            tuple(transaction.terms),
            is_allowed=transaction.is_allowed
            or (transaction.is_sender_allowed and authentication.dmarc.result == "pass"),
            is_doubtful=spf.result == "fail",
            is_from_list=is_listed,
            notes=tuple(steps.notes),
        )
        field = results_field(
            self._hostname,
            authentication,
            sender=path_text(transaction.mail.reverse_path),
            client_address=client.address,
        )
        authors = () if is_proven else author_domains(content)
        return without_forged(content, self._hostname), Gathered(
            findings, field, authentication, unproven_authors(authors, authentication)
        )


class _Steps:
    """Runs what may fail, all within one time."""

    def __init__(self, trace_id: str) -> None:
        self.notes: list[str] = []
        self._trace_id = trace_id
        self._until = asyncio.get_running_loop().time() + JUDGING_SECONDS

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


async def _spf(transaction: Transaction) -> SpfEvidence:
    """It was asked for at MAIL."""
    return SpfEvidence("none") if transaction.spf is None else await transaction.spf
