"""THREAD and UID THREAD (RFC 5256 §3)."""

from collections.abc import Sequence

from accounts.mailstore.folder_threads import thread_uids
from transport.database_threads import Connection
from transport.imap.handlers.registry import handles
from transport.imap.handlers.search import BAD_CHARSET
from transport.imap.replies import Reply, ok
from transport.imap.searching import find
from transport.imap.selection import Selection
from transport.imap.session import Session
from transport.imap.states import ONLY_SELECTED
from transport.imap.wire.commands.types import Thread
from transport.imap.wire.search_keys import holds_modseq
from transport.imap.wire.threads import thread_response


@handles("UID THREAD", states=ONLY_SELECTED, refreshes=True)
async def thread_by_uid(session: Session, command: Thread) -> Reply:
    return await _thread(session, command)


@handles("THREAD", states=ONLY_SELECTED, refreshes=True, may_expunge=False)
async def thread(session: Session, command: Thread) -> Reply:
    return await _thread(session, command)


async def _thread(session: Session, command: Thread) -> Reply:
    if command.key is None:
        return BAD_CHARSET
    session.condstore = session.condstore or holds_modseq(command.key)
    selection = session.selected
    view = selection.view
    places = (await find(session, command.key)).places
    if not places:
        session.write(thread_response((), {}, ()))
        return ok("Done")
    wanted = view.uids if len(places) == len(view) else [view.uids[place] for place in places]
    session.write(await session.run_long(_answer, selection, wanted, command))
    return ok("Done")


def _answer(db: Connection, selection: Selection, wanted: Sequence[int], command: Thread) -> bytes:
    """The response: all of it is made in the thread, for it takes long in a large folder."""
    view = selection.view
    uids, forest = thread_uids(
        db, selection.owner, selection.folder_id, wanted, command.algorithm, len(view)
    )
    numbers = uids if command.by_uid else [place + 1 for place in view.places(uids)]
    return thread_response(forest.roots, forest.children, numbers)
