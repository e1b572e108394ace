"""What is written to the database later and in batches, so that no reply waits for it.

Transactions whose 250 the client has heard are forgotten, refusals go to the trace, and what limits of sending kept
back to the administrator.
"""

import asyncio
import logging
from collections.abc import Sequence

from accounts.allowances import Full
from accounts.entries import Login
from accounts.journal.acceptances import forget
from accounts.journal.trace import TraceEvent, write_trace
from accounts.sending import CLIENTS_MAXIMUM, Refusals, note_refusals
from transport.database_threads import DatabaseThreads

BATCH_SECONDS = 0.2
REFUSALS_MAXIMUM = 1000  # kept between two batches; what comes beyond is counted and logged

log = logging.getLogger(__name__)


class Postponed:
    """One a process. All methods belong to the event loop."""

    def __init__(self, database: DatabaseThreads) -> None:
        self._database = database
        self._heard: list[bytes] = []
        self._refusals: list[TraceEvent] = []
        self._kept_back: dict[tuple[str, int], Refusals] = {}
        self._dropped = 0
        self._is_something = asyncio.Event()
        self._turn = asyncio.Lock()

    def heard(self, fingerprint: bytes) -> None:
        """The client has seen the 250 of this transaction: the same bytes again are another message."""
        self._heard.append(fingerprint)
        self._is_something.set()

    def tell(self, events: Sequence[TraceEvent]) -> None:
        """More of what the trace is to hold of what was not taken."""
        room = max(0, REFUSALS_MAXIMUM - len(self._refusals))
        self._refusals += events[:room]
        self._dropped += len(events[room:])
        if events:
            self._is_something.set()

    def refused(
        self,
        trace_id: str,
        step: str,
        reply: str,
        *,
        client: str,
        sender: str,
        recipient: str = "",
        policy: str = "",
    ) -> None:
        """A message or a recipient was refused, by the policy of that name if by any."""
        result = "refused" if reply.startswith("5") else "deferred"
        event = TraceEvent(
            trace_id,
            step,
            result,
            reply,
            sender=sender,
            recipient=recipient,
            detail={"client": client} | ({"policy": policy} if policy else {}),
        )
        self.tell([event])

    def kept_back(self, login: Login, full: Full, client: str) -> None:
        """A limit of sending was reached."""
        before = self._kept_back.get(login.account)
        number, clients = (before.number, before.clients) if before else (0, ())
        if client not in clients and len(clients) < CLIENTS_MAXIMUM:
            clients = (*clients, client)
        self._kept_back[login.account] = Refusals(*login.account, number + 1, full, clients)
        self._is_something.set()

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await self._is_something.wait()
            await asyncio.sleep(BATCH_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Write what there is, after what is being written: to the end, though who asked for it is cancelled."""
        await asyncio.shield(asyncio.ensure_future(self._flush()))

    async def _flush(self) -> None:
        async with self._turn:
            self._is_something.clear()
            heard, self._heard = self._heard, []
            refusals, self._refusals = self._refusals, []
            kept_back, self._kept_back = self._kept_back, {}
            if self._dropped:
                log.warning("%s refusals were too many for the trace", self._dropped)
                self._dropped = 0
            try:
                if heard:
                    await self._database.run_aside(forget, heard)
                    heard = []
                if refusals:
                    await self._database.run_aside(write_trace, refusals)
                if kept_back:
                    await self._database.run_aside(note_refusals, tuple(kept_back.values()))
            except Exception:
                # the next batch tries again: the same bytes would be taken for this transaction, and not delivered
                self._heard[:0] = heard
                log.exception(
                    "a batch failed: %s transactions wait, %s refusals are lost",
                    len(heard),
                    len(refusals),
                )
