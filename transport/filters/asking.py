"""Asks the filters of others about a message while its sender waits: all at once, each within FILTER_SECONDS.

One that is down, slow or talks nonsense stops no mail: it is judged by what is known, and the notes say who was silent.
The one exception is a ClamAV that the administrator has made strict. A filter that keeps failing is left alone for a
while, so that it does not cost every message its seconds.
"""

import asyncio
import logging

import httpx

from transport.database_threads import DatabaseThreads
from transport.filters import rspamd
from transport.filters.breaker import Breaker
from transport.filters.opinions import Opinion, in_words, is_gone, opinion_of, silence_of
from transport.filters.setups import read_setups, write_states
from transport.filters.values import DEFAULTS, Envelope, FilterAnswers, FilterName, FilterSetup

REFRESH_SECONDS = 3.0
RETRY_SECONDS = 10.0
PROBE_SECONDS = 60.0  # for one that nobody has switched on, and that may not be there at all

log = logging.getLogger(__name__)


class Filters:
    """One a process. All methods belong to one event loop."""

    def __init__(self, database: DatabaseThreads) -> None:
        self._database = database
        self._setups: dict[FilterName, FilterSetup] | None = None
        self._breakers: dict[FilterName, Breaker] = {}
        self._states: dict[FilterName, str] = {}
        self._client: httpx.AsyncClient | None = None

    async def run(self) -> None:
        """Follow the administrator, for ever."""
        while True:
            await self._try_to_refresh()
            await asyncio.sleep(REFRESH_SECONDS)

    async def close(self) -> None:
        """Let go of the connections that are kept."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    async def refresh(self) -> None:
        """Read what is set, and write down how the filters do."""
        states, self._states = self._states, {}
        if states:
            await self._database.run(write_states, states)
        setups = await self._database.run(read_setups)
        for name, setup in setups.items():
            old = self._setups[name] if self._setups is not None else None
            if old is None or (old.address, old.is_on) != (setup.address, setup.is_on):
                self._breakers[name] = Breaker(
                    PROBE_SECONDS if name == "spamassassin" else RETRY_SECONDS
                )
                if name == "rspamd":
                    await self.close()
        self._setups = setups

    async def ask(self, content: bytes, envelope: Envelope) -> FilterAnswers:
        """What they say of a message as it was received. Never raises; takes FILTER_SECONDS at most."""
        if self._setups is None:
            await self._try_to_refresh()
        asked = [one for one in (self._setups or DEFAULTS).values() if one.is_on]
        given = await asyncio.gather(*(self._ask(one, content, envelope) for one in asked))
        notes = (
            silence_of(setup) if opinion is None else opinion.note
            for setup, opinion in zip(asked, given, strict=True)
        )
        return FilterAnswers(
            terms=tuple(one.term for one in given if one is not None and one.term is not None),
            virus=next((one.virus for one in given if one is not None and one.virus), ""),
            is_scanned=any(
                setup.name == "clamav" and opinion is not None and not opinion.note
                for setup, opinion in zip(asked, given, strict=True)
            ),
            is_unscanned=any(
                opinion is None and setup.is_strict
                for setup, opinion in zip(asked, given, strict=True)
            ),
            notes=tuple(note for note in notes if note),
        )

    async def _ask(self, setup: FilterSetup, content: bytes, envelope: Envelope) -> Opinion | None:
        """None: it did not say."""
        now = asyncio.get_running_loop().time
        breaker = self._breakers.setdefault(setup.name, Breaker(RETRY_SECONDS))
        if not breaker.may_ask(now()):
            return None
        try:
            if setup.name == "rspamd" and self._client is None:
                self._client = rspamd.open_client(setup.address)
            opinion = await opinion_of(setup, content, envelope, self._client)
        except Exception as error:
            breaker.failed(now(), is_gone=is_gone(error))
            self._states[setup.name] = in_words(error)
            return None
        breaker.answered()
        self._states.setdefault(setup.name, "")
        return opinion

    async def _try_to_refresh(self) -> None:
        try:
            await self.refresh()
        except Exception:
            log.exception("the settings of filters could not be read")
