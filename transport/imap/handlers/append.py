"""APPEND (RFC 9051 §6.3.12; APPENDUID: RFC 4315 §3). The reader bounds the literal."""

from datetime import datetime

from accounts.mailstore.append import append_message
from accounts.mailstore.folders import open_folder
from accounts.mailstore.headers import HEADER_LIMIT, header_end
from accounts.mailstore.values import Appended, MailboxId, NoSuchFolder, Placement, new_message
from transport.database_threads import Connection
from transport.imap.handlers.registry import handles
from transport.imap.replies import Refused, Reply, no, ok
from transport.imap.selection import decode_flags
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.wire.commands.types import Append


@handles("APPEND", states=LOGGED_IN)
async def append(session: Session, command: Append) -> Reply:
    if not command.content:
        return no("An empty message is none")
    appended = await session.run_long(
        _append,
        session.owner,
        command.folder,
        command.content,
        decode_flags(command.flags),
        command.internal_date,
    )
    session.services.notifier.publish([appended.folder_id])
    if session.selection is not None:
        await session.refresh()
        session.tell(expunges=True)
    return ok("Appended", b"APPENDUID %d %d" % (appended.uid_validity, appended.uid))


def _append(
    db: Connection,
    owner: MailboxId,
    name: str,
    content: bytes,
    flags: tuple[str, ...],
    internal_date: datetime | None,
) -> Appended:
    if header_end(content) > HEADER_LIMIT:  # clients fetch headers by the hundred
        raise Refused(no("The header is too large", b"LIMIT"))
    try:
        folder = open_folder(db, owner, name)
    except NoSuchFolder:
        raise Refused(no("No such folder", b"TRYCREATE")) from None
    placement = Placement(owner, folder.id, flags=flags, internal_date=internal_date)
    return append_message(db, new_message(content), (placement,), cause="imap")[0]
