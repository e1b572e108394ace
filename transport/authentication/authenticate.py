"""All that is found out about a message's author: DKIM and ARC at the same time, then DMARC over them and SPF. RFC 9989 §5.3."""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import replace
from typing import TypeVar

from accounts.mailstore.headers import header_end
from routing.evidence import ArcEvidence, Authentication, DmarcEvidence, SpfEvidence
from transport.authentication.chains import verify_arc
from transport.authentication.dmarc import author_domains, evaluate_dmarc
from transport.authentication.look_up import LookUp
from transport.authentication.signatures import verify_dkim
from transport.dns.resolver import Answer, Status

DNS_SECONDS = (
    15.0  # for all that a message makes us ask; a sender waits for its reply for 10 minutes
)

SMALL_HEADER = 16 * 1024

T = TypeVar("T")

log = logging.getLogger(__name__)


async def authenticate(content: bytes, spf: SpfEvidence, look_up: LookUp) -> Authentication:
    """The evidence. What DNS did not tell in time is temperror, and so is DMARC where it might have passed.

    Never raises for what a message or DNS holds: a check that fails is left out, and logged.
    """
    in_time = within(DNS_SECONDS, look_up)
    dkim, arc = await asyncio.gather(
        _or_none("DKIM", verify_dkim(content, in_time)),
        _or_none("ARC", verify_arc(content, in_time)),
    )
    dmarc = await _or_none(
        "DMARC", evaluate_dmarc(await find_author_domains(content), spf, dkim or (), in_time)
    )
    dmarc = dmarc or DmarcEvidence("temperror", reason="it could not be evaluated")
    if dkim is None and dmarc.result == "fail":
        dmarc = replace(dmarc, result="temperror", policy="none", reason="DKIM is not known")
    return Authentication(spf, dkim or (), arc or ArcEvidence("none"), dmarc)


async def find_author_domains(content: bytes) -> tuple[str, ...]:
    """The domains of the authors; a huge header is read beside the event loop, which serves others meanwhile."""
    if header_end(content) > SMALL_HEADER:
        return await asyncio.to_thread(author_domains, content)
    return author_domains(content)


def within(seconds: float, look_up: LookUp) -> LookUp:
    """The same look-up until then; from then on, without waiting, no usable answer."""
    deadline = asyncio.get_running_loop().time() + seconds

    async def look_up_in_time(name: str, record_type: str) -> Answer:
        try:
            async with asyncio.timeout_at(deadline):
                return await look_up(name, record_type)
        except TimeoutError:
            return Answer(Status.FAILED, reason=f"{record_type} of {name}: not in time")

    return look_up_in_time


async def _or_none(what: str, evidence: Awaitable[T]) -> T | None:
    try:
        return await evidence
    except Exception:
        log.exception("%s could not be evaluated", what)
        return None
