"""Two long commands a mailbox at once: who opens twenty sessions to search does not hold up everybody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from accounts.mailstore.values import MailboxId

AT_ONCE = 2


class LongWork:
    """Counts what runs, by owner."""

    def __init__(self) -> None:
        self._gates: dict[MailboxId, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def turn(self, owner: MailboxId) -> AsyncIterator[None]:
        """Wait for one of the owner's turns, and hold it."""
        gate, waiting = self._gates.get(owner, (asyncio.Semaphore(AT_ONCE), 0))
        self._gates[owner] = (gate, waiting + 1)
        try:
            async with gate:
                yield
        finally:
            gate, waiting = self._gates[owner]
            if waiting == 1:
                del self._gates[owner]
            else:
                self._gates[owner] = (gate, waiting - 1)
