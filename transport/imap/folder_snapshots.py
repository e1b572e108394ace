"""The folders that were selected last, as this process knows them: a SELECT then reads what changed since, and no more.

The arrays of a folder of 100,000 messages come out of the database in 40 ms; to learn that nothing changed takes a
single short question. What is remembered is never truth: each SELECT asks. Only an owner's own folders are kept, for
another reader sees other flags.
"""

from collections import OrderedDict
from dataclasses import dataclass

from accounts.mailstore.changes import Changes, Snapshot, in_lines, snapshot
from accounts.mailstore.folder_names import canonical_name
from accounts.mailstore.opening import BY_NAME, NOTHING, Remembered, opened
from accounts.mailstore.values import FolderState, MailboxId, ModSeq, NoSuchFolder
from transport.database_threads import DatabaseThreads
from transport.imap.shared_changes import FEW, SharedChanges
from transport.imap.view import FolderView
from transport.questions import Questions

MESSAGES_MAXIMUM = 4_000_000
"""Of all folders together, in a process: 24 octets each."""
FOLDERS_MAXIMUM = 10_000

Key = tuple[MailboxId, str]


@dataclass(slots=True)
class _Folder:
    state: FolderState
    view: FolderView  # of a client that has been told everything


def _remembered(folder: _Folder | None, since: ModSeq | None) -> Remembered:
    """From where to ask what changed: what a client asks who left a little before, in the same question."""
    if folder is None:
        return NOTHING
    modseq = ModSeq(folder.view.modseq)
    if since is not None and 0 <= modseq - since <= FEW:
        modseq = since
    return Remembered(folder.state.id, modseq)


class FolderSnapshots:
    """What one process remembers."""

    def __init__(
        self, database: DatabaseThreads, questions: Questions, changes: SharedChanges
    ) -> None:
        self._database = database
        self._questions = questions
        self._changes = changes
        self._folders: OrderedDict[Key, _Folder] = OrderedDict()
        self._messages = 0

    async def open(
        self, owner: MailboxId, name: str, since: ModSeq | None = None
    ) -> tuple[FolderState, FolderView, Changes | None]:
        """The folder as it is now, a view of it, and if that is soon asked, what changed since a modseq or before.

        Raises NoSuchFolder.
        """
        if "\0" in name:
            raise NoSuchFolder
        key = (owner, canonical_name(name))
        known = self._folders.get(key)
        remembered = _remembered(known, since)
        folder_id, modseq = remembered.folder_id, remembered.modseq
        rows = await self._questions.rows(BY_NAME, owner, folder_id, modseq, owner, key[1])
        state, lines = opened(rows[0] if rows else None, remembered)
        found: Snapshot | Changes
        if lines is None:
            found = await self._database.run(snapshot, owner, state.id)
        else:
            found = await self._changes.in_lines(state, lines, modseq)
        folder = self._take(key, known, found)
        told = None
        if isinstance(found, Changes) and folder.state is found.state:
            # A message may have gone between the two questions: the view has it no more, and no line tells so yet.
            is_whole = lines is not None and len(found.entries) == len(in_lines(lines)[0])
            told = found if is_whole and since is not None and modseq <= since else None
        return folder.state, folder.view.fork(), told

    def _take(self, key: Key, asked: _Folder | None, found: Snapshot | Changes) -> _Folder:
        """What is known after the answer to a question about `asked`; a later question may have been answered first."""
        folder = self._folders.pop(key, None)
        if folder is not None:
            self._messages -= len(folder.view)
        match found:
            case Snapshot(state, uids, flags, modseqs):
                view = FolderView(uids, flags, modseqs, state.keywords, state.highest_modseq)
                folder = _Folder(state, view)
            case Changes(state, vanished, entries):
                if folder is None or folder.state.id != state.id:
                    assert asked is not None
                    folder = asked
                if state.highest_modseq >= folder.view.modseq:
                    folder.view.absorb(vanished, entries, state.keywords, state.highest_modseq)
                    folder.view.settle()
                    folder.state = state
        self._folders[key] = folder
        self._messages += len(folder.view)
        self._forget_some()
        return folder

    def _forget_some(self) -> None:
        """Of the folders that were not selected for longest. The last one may be too large alone: it stays."""
        while len(self._folders) > 1 and (
            self._messages > MESSAGES_MAXIMUM or len(self._folders) > FOLDERS_MAXIMUM
        ):
            _, folder = self._folders.popitem(last=False)
            self._messages -= len(folder.view)
