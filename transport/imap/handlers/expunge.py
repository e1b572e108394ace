"""EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9; RFC 4315 §2.1)."""

from collections.abc import Sequence

from accounts.mailstore import expunging
from accounts.mailstore.flagbits import DELETED
from accounts.mailstore.sharing import require
from accounts.mailstore.values import FolderId, MailboxId, Uid
from transport.database_threads import Connection
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, no, ok
from transport.imap.session import Session
from transport.imap.states import ONLY_SELECTED
from transport.imap.wire.commands.types import Expunge


@handles("EXPUNGE", "UID EXPUNGE", states=ONLY_SELECTED, refreshes=True)
async def expunge(session: Session, command: Expunge) -> Reply:
    selection = session.selected
    if selection.read_only:
        return no("The folder is open read-only", b"READ-ONLY")
    uids = None
    known: list[Uid] = []
    if command.messages is not None:
        places = selection.places(command.messages, by_uid=True)
        uids = [Uid(selection.view.uids[place]) for place in places]
        if not uids:
            return ok("Nothing to expunge")
    else:
        pairs = zip(selection.view.uids, selection.view.flags, strict=True)
        known = [Uid(uid) for uid, flags in pairs if flags & DELETED]
    gone = await session.run_for(
        len(known if uids is None else uids),
        expunge_as,
        selection.reader,
        selection.owner,
        selection.folder_id,
        uids,
        known,
    )
    if not gone.uids:
        return ok("Nothing to expunge")
    await session.expunged(gone.uids, gone.modseq)
    session.services.notifier.publish([selection.folder_id])
    return ok("Expunged")


def expunge_as(
    db: Connection,
    reader: MailboxId,
    owner: MailboxId,
    folder_id: FolderId,
    uids: Sequence[Uid] | None = None,
    known: Sequence[Uid] = (),
) -> expunging.Expunged:
    """Raises NoPermission, NoSuchFolder."""
    require(db, owner, folder_id, reader, "e")
    return expunging.expunge(db, owner, folder_id, uids, known=known)
