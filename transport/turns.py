"""Turns of one mailbox at the process's threads: who opens twenty sessions does not hold up everybody else.

Two long commands at once, to search or to fetch much. Four short ones of the six threads for them, since all may wait
for one lock: of a mailbox that another session changes at length. Two deliveries and one change of messages: more would
wait for the lock anyway, and hold up who only reads.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Concatenate, ParamSpec, TypeVar

from accounts.mailstore.values import MailboxId
from transport.database_threads import Connection, DatabaseThreads

LONG_AT_ONCE = 2
SHORT_AT_ONCE = 4
DELIVERIES_AT_ONCE = 2
CHANGES_AT_ONCE = 1

P = ParamSpec("P")
T = TypeVar("T")


class Turns:
    """Counts what runs, by owner."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._gates: dict[MailboxId, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def turn(self, owner: MailboxId) -> AsyncIterator[None]:
        """Wait for one of the owner's turns, and hold it."""
        gate, waiting = self._gates.get(owner) or (asyncio.Semaphore(self._at_once), 0)
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


class OwnThreads:
    """The process's threads for short work, as the sessions of one owner take turns at them."""

    __slots__ = ("_database", "_owner", "_turns")

    def __init__(self, database: DatabaseThreads, turns: Turns, owner: MailboxId) -> None:
        self._database = database
        self._turns = turns
        self._owner = owner

    async def run(
        self,
        service: Callable[Concatenate[Connection, P], T],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> T:
        """`DatabaseThreads.run` in the owner's turn."""
        async with self._turns.turn(self._owner):
            return await self._database.run(service, *arguments, **keywords)
