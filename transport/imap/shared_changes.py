"""One question for all: sessions that look at the same folder from the same modseq share the answer.

A thousand sessions that idle on one folder wake in the same turn of the event loop; the first asks, the others join
until the turn is over. Nobody joins a question that is under way: its answer may be older than the hint that woke him.
"""

import asyncio

from accounts.mailstore.changes import Changes, changes_since
from accounts.mailstore.values import FolderId, MailboxId, ModSeq
from transport.database_threads import DatabaseThreads

Key = tuple[MailboxId, FolderId, ModSeq, MailboxId]


class SharedChanges:
    """The questions of this turn of the loop."""

    def __init__(self, database: DatabaseThreads) -> None:
        self._database = database
        self._asked: dict[Key, asyncio.Task[Changes]] = {}

    async def since(
        self, owner: MailboxId, folder_id: FolderId, modseq: ModSeq, reader: MailboxId
    ) -> Changes:
        """`changes_since` in the mail store. Raises NoSuchFolder."""
        key = (owner, folder_id, modseq, reader)
        question = self._asked.get(key)
        if question is None:
            # The task begins only after everything that is ready to run now.
            question = self._asked[key] = asyncio.create_task(self._ask(key))
        return await asyncio.shield(question)

    async def _ask(self, key: Key) -> Changes:
        del self._asked[key]
        return await self._database.run(changes_since, *key)
