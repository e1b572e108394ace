"""Turns of one owner: how many at once, in which order, and what a cancelled one leaves."""

import asyncio

from accounts.mailstore.values import MailboxId
from transport.turns import Turns

ANN, BOB = MailboxId(1), MailboxId(2)


class Work:
    """Holds a turn until it may go on."""

    def __init__(self, turns: Turns, owner: MailboxId = ANN) -> None:
        self.has_begun = False
        self._may_end = asyncio.Event()
        self.task = asyncio.create_task(self._run(turns, owner))

    async def _run(self, turns: Turns, owner: MailboxId) -> None:
        async with turns.turn(owner):
            self.has_begun = True
            await self._may_end.wait()

    async def end(self) -> None:
        self._may_end.set()
        await self.task
        await settled()


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_no_more_than_so_many_of_one_owner_run_at_once_and_then_in_order() -> None:
    async def main() -> None:
        turns = Turns(2)
        work = [Work(turns) for _ in range(4)]
        other = Work(turns, BOB)
        await settled()
        assert [one.has_begun for one in work] == [True, True, False, False]
        assert other.has_begun
        await work[1].end()
        assert [one.has_begun for one in work] == [True, True, True, False]
        late = Work(turns)
        await work[0].end()
        assert [work[3].has_begun, late.has_begun] == [True, False]
        for one in (work[2], work[3], late, other):
            await one.end()
        assert turns.gates == {}

    asyncio.run(main())


def test_who_is_cancelled_while_waiting_loses_nobodys_turn() -> None:
    async def main() -> None:
        turns = Turns(1)
        first, gone, last = Work(turns), Work(turns), Work(turns)
        await settled()
        gone.task.cancel()
        await settled()
        await first.end()
        assert last.has_begun
        assert not gone.has_begun
        await last.end()
        assert turns.gates == {}

    asyncio.run(main())


def test_who_is_cancelled_just_as_the_turn_comes_hands_it_on() -> None:
    async def main() -> None:
        turns = Turns(1)
        first, gone, last = Work(turns), Work(turns), Work(turns)
        await settled()
        first._may_end.set()
        while turns.gates[ANN].waiting and not turns.gates[ANN].waiting[0].done():
            if len(turns.gates[ANN].waiting) == 1:  # handed to `gone`, who has not run yet
                break
            await asyncio.sleep(0)
        gone.task.cancel()
        await settled()
        assert not gone.has_begun
        assert last.has_begun
        await last.end()
        assert turns.gates == {}

    asyncio.run(main())


def test_work_that_fails_gives_its_turn_back() -> None:
    async def main() -> None:
        turns = Turns(1)
        for _ in range(2):
            try:
                async with turns.turn(ANN):
                    raise KeyError
            except KeyError:
                pass
        assert turns.gates == {}

    asyncio.run(main())
