"""SELECT and EXAMINE (RFC 9051 §6.3.2-3; HIGHESTMODSEQ, CONDSTORE, QRESYNC: RFC 7162 §3.1, §3.2.5;
MAILBOXID: RFC 8474 §4.2)."""

from accounts.mailstore.changes import Changes, Snapshot, changes_since, snapshot
from accounts.mailstore.folders import open_folder
from accounts.mailstore.sharing import Reach, reach
from accounts.mailstore.values import MailboxId, ModSeq
from transport.database_threads import Connection
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, ok
from transport.imap.resync import resynchronise
from transport.imap.selection import Selection
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.view import FolderView
from transport.imap.wire.commands.types import Resync, Select
from transport.imap.wire.folder_names import render_folder_name
from transport.imap.wire.object_ids import mailbox_id
from transport.imap.wire.responses import folder_flags


@handles("SELECT", "EXAMINE", states=LOGGED_IN)
async def select(session: Session, command: Select) -> Reply:
    if session.selection is not None:
        session.deselect()
        session.write(b"* OK [CLOSED] The previous folder is closed\r\n")
    target, found, changes = await session.database.run(
        _open, session.owner, command.folder, command.resync
    )
    state = found.state
    session.condstore = session.condstore or command.condstore
    view = FolderView(found.uids, found.flags, found.modseqs, state.keywords, state.highest_modseq)
    if changes is not None:  # read after the folder: the two are one state now
        state = changes.state
        view.absorb(changes.vanished, changes.entries, state.keywords, state.highest_modseq)
        view.settle()
    selection = Selection(
        target.owner,
        state.id,
        command.folder,
        state.uid_validity,
        view,
        read_only=command.read_only,
        reader=target.reader,
        rights=target.rights,
    )
    session.select(selection)
    session.write(folder_flags(state.keywords, selection.usable_rights))
    session.write(b"* %d EXISTS\r\n" % len(view))
    if session.is_rev2:  # RFC 9051 appendix E: LIST is new, RECENT and UNSEEN are gone
        session.write(b'* LIST () "/" %b\r\n' % render_folder_name(command.folder, utf8=True))
    else:
        session.write(b"* 0 RECENT\r\n")
        if state.unseen_count and not session.uid_only and (unseen := view.first_unseen):
            session.write(b"* OK [UNSEEN %d] First unseen\r\n" % unseen)
    session.write(
        b"* OK [UIDVALIDITY %d] UIDs valid\r\n"
        b"* OK [UIDNEXT %d] Predicted next UID\r\n"
        b"* OK [HIGHESTMODSEQ %d] Highest\r\n"
        b"* OK [MAILBOXID (%b)] Ok\r\n"
        % (state.uid_validity, state.uid_next, view.modseq, mailbox_id(state.id))
    )
    if command.resync is not None and command.resync.uid_validity == state.uid_validity:
        await resynchronise(session, selection, command.resync, changes, state.uid_next)
    # RFC 4314 §5.2: \Seen is the reader's own and does not count
    is_writable = any(selection.may(right) for right in "iewt")
    return ok("Selected", b"READ-WRITE" if is_writable else b"READ-ONLY")


def _open(
    db: Connection, reader: MailboxId, name: str, known: Resync | None
) -> tuple[Reach, Snapshot, Changes | None]:
    """The folder, and what happened in it since the client left, as far as that is remembered."""
    target = reach(db, reader, name, "r")
    found = snapshot(db, target.owner, open_folder(db, target.owner, target.name).id, reader)
    state = found.state
    if (
        known is None
        or known.uid_validity != state.uid_validity
        or not state.min_modseq <= known.modseq < state.highest_modseq
    ):
        return target, found, None
    return target, found, changes_since(db, state.owner, state.id, ModSeq(known.modseq), reader)
