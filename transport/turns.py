"""Turns of one mailbox at the process's threads: who opens twenty sessions does not hold up everybody else.

Two long commands at once, to search or to fetch much. Four short ones of the six threads for them, since all may wait
for one lock: of a mailbox that another session changes at length. Two deliveries and one change of messages: more would
wait for the lock anyway, and hold up who only reads.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
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
        self.at_once = at_once
        self.gates: dict[MailboxId, _Gate] = {}

    def turn(self, owner: MailboxId) -> "Turn":
        """For `async with`: wait for one of the owner's turns, and hold it."""
        return Turn(self, owner)


@dataclass(slots=True)
class _Gate:
    """Of one owner who holds a turn. While somebody waits, none is free."""

    free: int
    waiting: "deque[asyncio.Future[None]]" = field(default_factory=deque)


class Turn:
    """One turn. A command may take several, so that a free one costs no more than a look-up."""

    __slots__ = ("_owner", "_turns")

    def __init__(self, turns: Turns, owner: MailboxId) -> None:
        self._turns = turns
        self._owner = owner

    async def __aenter__(self) -> None:
        gates = self._turns.gates
        gate = gates.get(self._owner)
        if gate is None:
            gate = gates[self._owner] = _Gate(self._turns.at_once)
        if gate.free:
            gate.free -= 1
            return
        handed = asyncio.get_running_loop().create_future()
        gate.waiting.append(handed)
        try:
            await handed
        except asyncio.CancelledError:
            if not handed.cancelled():  # it was handed on just before
                self._release()
            raise

    async def __aexit__(self, *raised: object) -> None:
        self._release()

    def _release(self) -> None:
        gate = self._turns.gates[self._owner]
        while gate.waiting:
            handed = gate.waiting.popleft()
            if not handed.done():
                return handed.set_result(None)
        gate.free += 1
        if gate.free == self._turns.at_once:
            del self._turns.gates[self._owner]


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
