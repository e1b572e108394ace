"""EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3, §6.4.9; RFC 4315 §2.1)."""

from accounts.mailstore import expunging
from accounts.mailstore.values import Uid
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
    if command.messages is not None:
        places = selection.places(command.messages, by_uid=True)
        uids = [Uid(selection.view.uids[place]) for place in places]
        if not uids:
            return ok("Nothing to expunge")
    gone = await session.run_long(expunging.expunge, selection.owner, selection.folder_id, uids)
    if not gone.uids:
        return ok("Nothing to expunge")
    selection.view.expunge(gone.uids)
    session.services.notifier.publish([selection.folder_id])
    # RFC 7162 §3.2.7: where the removal stands among the changes
    return ok("Expunged", b"HIGHESTMODSEQ %d" % gone.modseq if session.condstore else b"")
