"""NOTIFY (RFC 5465); what follows from it is `transport.imap.watching`'s."""

from transport.imap.handlers.registry import handles
from transport.imap.listing import levels
from transport.imap.replies import Reply, no, ok
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.wanted_events import SUPPORTED, NameNews, first_status
from transport.imap.watching import TooManyFolders, Watching
from transport.imap.wire.commands.notify import MESSAGE_EVENTS
from transport.imap.wire.commands.types import Notify


@handles("NOTIFY", states=LOGGED_IN, refreshes=True)
async def notify(session: Session, command: Notify) -> Reply:
    unknown = [event for group in command.groups for event in group.events - SUPPORTED.keys()]
    if unknown:  # §3.1: NO, with what there is
        names = " ".join(SUPPORTED.values())
        return no("There is no such event", f"BADEVENT ({names})".encode("ascii"))
    session.tell(expunges=True)  # what has come together is told by the old rules (§3.1)
    watching = Watching(session, command.groups)
    try:
        await watching.begin()
    except TooManyFolders:
        watching.close()
        return no("Too many folders", b"NOTIFICATIONOVERFLOW")
    except Exception:
        watching.close()
        raise
    session.watch_nothing()
    session.watching = watching
    _tell_no_access(session, command, watching)
    if command.with_status:
        selected = session.selection.folder_id if session.selection is not None else None
        for news in first_status(command.groups, watching.known):
            if news.state.id != selected:
                session.write(watching.status_line(news))
    return ok("Done")


def _tell_no_access(session: Session, command: Notify, watching: Watching) -> None:
    """LIST with \\NoAccess for each named folder whose messages the client may not see (§3.1)."""
    named = {
        name
        for group in command.groups
        if group.scope == "MAILBOXES" and group.events & MESSAGE_EVENTS
        for name in group.names
    }
    folders = watching.known.folders
    hidden = [name for name in named & folders.keys() if not folders[name].is_selectable]
    parents = levels(folders) if hidden else set()
    for name in sorted(hidden):
        session.write(watching.list_line(NameNews(name), parents))
