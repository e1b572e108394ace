"""One filter's opinion of one message."""

import asyncio
from dataclasses import dataclass
from email.utils import formatdate

import httpx

from routing.verdicts import Term
from transport.filters import clamav, rspamd, spamassassin
from transport.filters.values import TITLES, Envelope, FilterError, FilterSetup

FILTER_SECONDS = 5.0
_PROBE = b"From: postmaster@localhost\r\nSubject: Does it answer?\r\n\r\nDoes it?\r\n"


@dataclass(frozen=True, slots=True)
class Opinion:
    """`virus` is a name or ""; `note` is for the trace."""

    term: Term | None = None
    virus: str = ""
    note: str = ""


async def opinion_of(
    setup: FilterSetup, content: bytes, envelope: Envelope, client: httpx.AsyncClient | None
) -> Opinion:
    """`client` is rspamd's. Raises what the filter's client raises: anything, after FILTER_SECONDS at most."""
    async with asyncio.timeout(FILTER_SECONDS):
        match setup.name:
            case "spamassassin":
                if len(content) > spamassassin.SIZE_LIMIT:
                    return Opinion(note="SpamAssassin is not asked about so large a message")
                content = received_field(envelope) + content
                return Opinion(await spamassassin.check(setup.address, content))
            case "rspamd":
                assert client is not None
                return Opinion(await rspamd.check(client, content, envelope))
            case "clamav":
                scan = await clamav.scan(setup.address, content)
                note = "the message is too large for ClamAV" if scan.is_too_large else ""
                return Opinion(virus=scan.virus, note=note)


async def probe(setup: FilterSetup) -> str:
    """Why it gives no opinion of a small message, or "". Never raises."""
    envelope = Envelope("127.0.0.1", "localhost", "postmaster@localhost", ("postmaster@localhost",))
    try:
        if setup.name != "rspamd":
            await opinion_of(setup, _PROBE, envelope, None)
        else:
            async with rspamd.open_client(setup.address) as client:
                await opinion_of(setup, _PROBE, envelope, client)
    except Exception as error:
        return in_words(error)
    return ""


def received_field(envelope: Envelope) -> bytes:
    """Who handed the message over: SpamAssassin reads it in the topmost field.

    Its name in DNS is not known here, and stands as it says it is: without one SpamAssassin would count that against
    everybody, which a policy of ours does for those who have none.
    """
    name = envelope.helo.strip("[]")
    text = (
        f"Received: from {envelope.helo} ({name} [{envelope.client_address}])\r\n"
        f"\tby localhost with ESMTP (envelope-from <{envelope.reverse_path}>);\r\n"
        f"\t{formatdate()}\r\n"
    )
    return text.encode("utf-8", "surrogateescape")


def in_words(error: Exception) -> str:
    """What went wrong, for the admin."""
    if isinstance(error, TimeoutError):
        return f"no answer within {FILTER_SECONDS:g} seconds"
    if isinstance(error, FilterError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def is_gone(error: Exception) -> bool:
    """Nobody listens there."""
    return isinstance(error, ConnectionRefusedError | FileNotFoundError)


def silence_of(setup: FilterSetup) -> str:
    """For the notes; "" of a SpamAssassin that nobody ever saw there."""
    if setup.name == "spamassassin" and not setup.has_answered:
        return ""
    return f"{TITLES[setup.name]} does not answer"
