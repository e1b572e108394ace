"""One question for all: sessions that look at the same folder from the same modseq share the answer.

A thousand sessions that idle on one folder wake in the same turn of the event loop; the first asks, the others join
until the turn is over. Nobody joins a question that is under way: its answer may be older than the hint that woke him.
"""

import asyncio

from accounts.mailstore.changes import (
    CHANGES,
    ENTRIES,
    Changes,
    array_text,
    changes_of,
    changes_since,
    in_lines,
    told,
    with_entries,
)
from accounts.mailstore.values import FolderId, FolderState, MailboxId, ModSeq
from transport.database_threads import DatabaseThreads
from transport.questions import Questions

FEW = 100
"""Entries that a short question may be about."""
Key = tuple[MailboxId, FolderId, ModSeq, MailboxId]


class SharedChanges:
    """The questions of this turn of the loop."""

    def __init__(self, database: DatabaseThreads, questions: Questions) -> None:
        self._database = database
        self._questions = questions
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
        owner, folder_id, modseq, reader = key
        if reader == owner:
            rows = await self._questions.rows(CHANGES, modseq, owner, owner, folder_id)
            state, lines = told(rows[0] if rows else None)
            if modseq >= state.min_modseq:
                return await self.in_lines(state, lines, modseq)
        return await self._database.run(changes_since, *key)

    async def in_lines(self, state: FolderState, lines: list[str], modseq: ModSeq) -> Changes:
        """What the `lines` of mail_change after `modseq` amount to now, for the owner."""
        uids, vanished = in_lines(lines)
        if len(uids) > FEW:
            return await self._database.run(changes_of, state, lines, modseq, state.owner)
        asked = (state.owner, state.id, array_text(uids), modseq)
        return with_entries(
            state, vanished, await self._questions.rows(ENTRIES, *asked) if uids else ()
        )
