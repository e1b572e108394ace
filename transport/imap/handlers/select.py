"""SELECT and EXAMINE (RFC 9051 §6.3.2-3; HIGHESTMODSEQ, CONDSTORE, QRESYNC: RFC 7162 §3.1, §3.2.5;
MAILBOXID: RFC 8474 §4.2)."""

from accounts.mailstore.changes import Changes, Snapshot, changes_since, snapshot
from accounts.mailstore.folder_names import canonical_name, split_shared
from accounts.mailstore.folders import open_folder
from accounts.mailstore.sharing import ALL_RIGHTS, Reach, reach
from accounts.mailstore.values import FolderState, MailboxId, ModSeq
from transport.database_threads import Connection
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, ok
from transport.imap.resync import resynchronise
from transport.imap.selection import Selection
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.view import FolderView
from transport.imap.wire.commands.types import Resync, Select
from transport.imap.wire.folder_names import list_line
from transport.imap.wire.object_ids import mailbox_id
from transport.imap.wire.responses import folder_flags


@handles("SELECT", "EXAMINE", states=LOGGED_IN)
async def select(session: Session, command: Select) -> Reply:
    if session.selection is not None:
        session.deselect()
        session.write(b"* OK [CLOSED] The previous folder is closed\r\n")
    name = canonical_name(command.folder)
    target, state, view, changes = await _open(session, name, command.resync)
    session.condstore = session.condstore or command.condstore
    if command.resync is None or not _remembers(state, command.resync):
        changes = None
    elif changes is None:
        changes = await session.database.run(
            changes_since, state.owner, state.id, ModSeq(command.resync.modseq), target.reader
        )
        # Read after the folder: the two are one state now.
        state = changes.state
        view.absorb(changes.vanished, changes.entries, state.keywords, state.highest_modseq)
        view.settle()
    selection = Selection(
        target.owner,
        state.id,
        view,
        read_only=command.read_only,
        reader=target.reader,
        rights=target.rights,
    )
    session.select(selection)
    session.write(folder_flags(state.keywords, selection.usable_rights))
    session.write(b"* %d EXISTS\r\n" % len(view))
    if session.is_rev2:  # RFC 9051 appendix E: LIST is new, RECENT and UNSEEN are gone
        use = state.special_use if target.owner == target.reader else ""
        old_name = command.folder if command.folder != name else ""
        session.write(list_line(use.encode("ascii"), name, utf8=True, old_name=old_name))
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


def _remembers(state: FolderState, known: Resync) -> bool:
    """Whether what happened since the client left is remembered, and is anything."""
    return (
        known.uid_validity == state.uid_validity
        and state.min_modseq <= known.modseq < state.highest_modseq
    )


async def _open(
    session: Session, name: str, resync: Resync | None
) -> tuple[Reach, FolderState, FolderView, Changes | None]:
    """One's own folder is one that this process may know already; another's is read.

    The changes, where they were found by the way, are those since the client left or before.
    """
    if split_shared(name) is None:
        since = ModSeq(resync.modseq) if resync is not None else None
        state, view, changes = await session.services.snapshots.open(session.owner, name, since)
        return Reach(state.owner, name, ALL_RIGHTS, session.owner), state, view, changes
    target, found = await session.database.run(_read, session.owner, name)
    state = found.state
    view = FolderView(found.uids, found.flags, found.modseqs, state.keywords, state.highest_modseq)
    return target, state, view, None


def _read(db: Connection, reader: MailboxId, name: str) -> tuple[Reach, Snapshot]:
    target = reach(db, reader, name, "r")
    folder = open_folder(db, target.owner, target.name)
    return target, snapshot(db, target.owner, folder.id, reader)
