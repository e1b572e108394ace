"""STATUS (RFC 9051 §6.3.11; SIZE: RFC 8438; HIGHESTMODSEQ: RFC 7162 §3.1.7; MAILBOXID: RFC 8474 §4.3;
APPENDLIMIT: RFC 7889 §3.1; DELETED-STORAGE: RFC 9208 §4.1.4)."""

from collections.abc import Callable, Mapping, Sequence

from accounts.mailstore.folder_names import canonical_name, split_shared
from accounts.mailstore.folders import OPEN, opened
from accounts.mailstore.listing import deleted_bytes
from accounts.mailstore.sharing_folders import open_as
from accounts.mailstore.values import FolderId, FolderState, MailboxId
from transport.database_threads import Connection
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, ok
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.wire.commands.types import Status
from transport.imap.wire.folder_names import render_folder_name
from transport.imap.wire.object_ids import mailbox_id

_WORDS: dict[str, Callable[[FolderState], bytes]] = {
    "MESSAGES": lambda state: b"MESSAGES %d" % state.message_count,
    "RECENT": lambda state: b"RECENT 0",
    "UIDNEXT": lambda state: b"UIDNEXT %d" % state.uid_next,
    "UIDVALIDITY": lambda state: b"UIDVALIDITY %d" % state.uid_validity,
    "UNSEEN": lambda state: b"UNSEEN %d" % state.unseen_count,
    "DELETED": lambda state: b"DELETED %d" % state.deleted_count,
    "SIZE": lambda state: b"SIZE %d" % state.size_bytes,
    "HIGHESTMODSEQ": lambda state: b"HIGHESTMODSEQ %d" % state.highest_modseq,
    "MAILBOXID": lambda state: b"MAILBOXID (%b)" % mailbox_id(state.id),
}


class StatusWords:
    """Renders the items that a command asks for, of any number of folders."""

    def __init__(
        self, items: Sequence[str], append_limit: int, freeable: Mapping[FolderId, int]
    ) -> None:
        words = _WORDS | {
            "APPENDLIMIT": lambda state: b"APPENDLIMIT %d" % append_limit,
            "DELETED-STORAGE": lambda state: b"DELETED-STORAGE %d" % freeable.get(state.id, 0),
        }
        self._words = [words[item] for item in items]

    def line(self, name: bytes, state: FolderState) -> bytes:
        """The response; `name` as it goes on the wire."""
        return b"* STATUS %b (%b)\r\n" % (name, b" ".join([word(state) for word in self._words]))


@handles("STATUS", states=LOGGED_IN)
async def status(session: Session, command: Status) -> Reply:
    state, freeable = await _find(session, command)
    if "HIGHESTMODSEQ" in command.items:
        session.condstore = True
    words = StatusWords(command.items, session.services.max_message_size, freeable)
    session.write(words.line(render_folder_name(command.folder, utf8=session.utf8), state))
    return ok("Done")


async def _find(session: Session, command: Status) -> tuple[FolderState, Mapping[FolderId, int]]:
    if split_shared(command.folder) is not None or "DELETED-STORAGE" in command.items:
        return await session.database.run(_read, session.owner, command)
    name = canonical_name(command.folder)
    return opened(await session.services.questions.rows(OPEN, session.owner, name)), {}


def _read(
    db: Connection, reader: MailboxId, command: Status
) -> tuple[FolderState, dict[FolderId, int]]:
    _, state = open_as(db, reader, command.folder, "r")
    return state, deleted_bytes(db, [state]) if "DELETED-STORAGE" in command.items else {}
