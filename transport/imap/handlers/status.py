"""STATUS (RFC 9051 §6.3.11; SIZE: RFC 8438; HIGHESTMODSEQ: RFC 7162 §3.1.7)."""

from accounts.mailstore.folders import open_folder
from accounts.mailstore.sharing import reach
from accounts.mailstore.values import FolderState, MailboxId
from transport.database_threads import Connection
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, ok
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.wire.commands.types import Status
from transport.imap.wire.folder_names import render_folder_name


@handles("STATUS", states=LOGGED_IN)
async def status(session: Session, command: Status) -> Reply:
    state = await session.database.run(_read, session.owner, command.folder)
    session.condstore = session.condstore or "HIGHESTMODSEQ" in command.items
    items = (b"%b %d" % (item.encode("ascii"), status_item(state, item)) for item in command.items)
    name = render_folder_name(command.folder, utf8=session.utf8)
    session.write(b"* STATUS %b (%b)\r\n" % (name, b" ".join(items)))
    return ok("Done")


def _read(db: Connection, reader: MailboxId, name: str) -> FolderState:
    target = reach(db, reader, name, "r")
    return open_folder(db, target.owner, target.name)


def status_item(state: FolderState, item: str) -> int:
    """One item's value; nothing is ever \\Recent."""
    return {
        "MESSAGES": state.message_count,
        "RECENT": 0,
        "UIDNEXT": state.uid_next,
        "UIDVALIDITY": state.uid_validity,
        "UNSEEN": state.unseen_count,
        "DELETED": state.deleted_count,
        "SIZE": state.size_bytes,
        "HIGHESTMODSEQ": state.highest_modseq,
    }[item]
