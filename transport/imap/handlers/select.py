"""SELECT and EXAMINE (RFC 9051 §6.3.2-3; HIGHESTMODSEQ and CONDSTORE: RFC 7162 §3.1)."""

from accounts.mailstore.changes import Snapshot, snapshot
from accounts.mailstore.folders import open_folder
from accounts.mailstore.sharing import Reach, reach
from accounts.mailstore.values import MailboxId
from transport.database_threads import Connection
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, ok
from transport.imap.selection import Selection
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.view import FolderView
from transport.imap.wire.commands.types import Select
from transport.imap.wire.responses import folder_flags


@handles("SELECT", "EXAMINE", states=LOGGED_IN)
async def select(session: Session, command: Select) -> Reply:
    if session.selection is not None:
        session.deselect()
        session.write(b"* OK [CLOSED] The previous folder is closed\r\n")
    target, found = await session.database.run(_open, session.owner, command.folder)
    state = found.state
    session.condstore = session.condstore or command.condstore
    view = FolderView(found.uids, found.flags, found.modseqs, state.keywords, state.highest_modseq)
    session.select(
        Selection(
            target.owner,
            state.id,
            command.folder,
            state.uid_validity,
            view,
            read_only=command.read_only,
            reader=target.reader,
            rights=target.rights,
        )
    )
    session.write(folder_flags(state.keywords, read_only=command.read_only))
    session.write(b"* %d EXISTS\r\n* 0 RECENT\r\n" % len(view))
    if state.unseen_count and (unseen := view.first_unseen):
        session.write(b"* OK [UNSEEN %d] First unseen\r\n" % unseen)
    session.write(
        b"* OK [UIDVALIDITY %d] UIDs valid\r\n"
        b"* OK [UIDNEXT %d] Predicted next UID\r\n"
        b"* OK [HIGHESTMODSEQ %d] Highest\r\n"
        % (state.uid_validity, state.uid_next, state.highest_modseq)
    )
    return ok("Selected", b"READ-ONLY" if command.read_only else b"READ-WRITE")


def _open(db: Connection, reader: MailboxId, name: str) -> tuple[Reach, Snapshot]:
    target = reach(db, reader, name, "r")
    return target, snapshot(db, target.owner, open_folder(db, target.owner, target.name).id)
