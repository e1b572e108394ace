"""Hands on to the filters of others what users teach about spam. For a worker; the classifier of our own comes first.

What a filter does not hear because it is down, it never hears: its opinion is one of many.
"""

import asyncio
import logging

from transport.database_threads import Connection
from transport.filters import rspamd, spamassassin
from transport.filters.opinions import FILTER_SECONDS, in_words
from transport.filters.setups import read_setups, write_states
from transport.filters.values import TITLES, FilterName, FilterSetup

log = logging.getLogger(__name__)


class Teacher:
    """For one run of a worker: a filter that failed is left alone until the next."""

    def __init__(self, db: Connection) -> None:
        self._db = db
        self._setups = {name: setup for name, setup in read_setups(db).items() if setup.is_on}
        self._setups.pop("clamav", None)

    def teach(self, content: bytes, is_spam: bool) -> None:
        """Blocks for FILTER_SECONDS a filter at most. What the filters do raises nothing."""
        if self._setups:
            states = asyncio.run(self._teach(content, is_spam))
            for name in states:
                self._setups.pop(name)
            write_states(self._db, states)

    async def _teach(self, content: bytes, is_spam: bool) -> dict[FilterName, str]:
        """The errors."""
        errors = {}
        for name, setup in self._setups.items():
            try:
                async with asyncio.timeout(FILTER_SECONDS):
                    await _teach_one(setup, content, is_spam)
            except Exception as error:
                errors[name] = f"it did not learn: {in_words(error)}"
                if setup.has_answered:
                    log.warning("%s did not learn: %s", TITLES[name], in_words(error))
        return errors


async def _teach_one(setup: FilterSetup, content: bytes, is_spam: bool) -> None:
    if setup.name == "spamassassin":
        if len(content) <= spamassassin.SIZE_LIMIT:
            await spamassassin.teach(setup.address, content, is_spam)
        return
    async with rspamd.open_client(setup.teach_address or setup.address) as client:
        await rspamd.teach(client, setup.password, content, is_spam)
