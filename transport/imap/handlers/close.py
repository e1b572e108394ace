"""CLOSE and UNSELECT (RFC 9051 §6.4.1-2)."""

from contextlib import suppress

from accounts.mailstore.values import NoPermission, NoSuchFolder
from transport.imap.handlers.expunge import expunge_as
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, ok
from transport.imap.session import Session
from transport.imap.states import ONLY_SELECTED
from transport.imap.wire.commands.types import Plain


@handles("CLOSE", states=ONLY_SELECTED)
async def close(session: Session, command: Plain) -> Reply:
    """Expunges without a word, unless the folder was opened read-only or the right is missing (RFC 4314 §4)."""
    selection = session.selected
    session.deselect()
    if selection.may("e"):
        with suppress(NoPermission, NoSuchFolder):
            gone = await session.run_long(
                expunge_as, selection.reader, selection.owner, selection.folder_id
            )
            if gone.uids:
                session.services.notifier.publish([selection.folder_id])
    return ok("Closed")


@handles("UNSELECT", states=ONLY_SELECTED)
async def unselect(session: Session, command: Plain) -> Reply:
    session.deselect()
    return ok("Closed")
