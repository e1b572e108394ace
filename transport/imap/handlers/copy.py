"""COPY and MOVE, by number and by UID (RFC 9051 §6.4.7-8, RFC 6851; COPYUID: RFC 4315 §3)."""

from collections.abc import Sequence

from accounts.mailstore.folders import open_folder
from accounts.mailstore.moving import Copied
from accounts.mailstore.sharing import reach
from accounts.mailstore.sharing_moves import copy_as
from accounts.mailstore.values import FolderId, MailboxId, NoSuchFolder, Uid
from transport.database_threads import Connection
from transport.imap.handlers.registry import handles
from transport.imap.replies import Refused, Reply, no, ok
from transport.imap.session import Session
from transport.imap.states import ONLY_SELECTED
from transport.imap.wire.commands.types import Copy
from transport.imap.wire.sequence import format_numbers


@handles("COPY", "UID COPY", "MOVE", "UID MOVE", states=ONLY_SELECTED, refreshes=True)
async def copy(session: Session, command: Copy) -> Reply:
    selection = session.selected
    is_move = command.name == "MOVE"
    if is_move and selection.read_only:
        return no("The folder is open read-only", b"READ-ONLY")
    places = selection.places(command.messages, by_uid=command.by_uid)
    uids = [Uid(selection.view.uids[place]) for place in places]
    target, copied = await session.run_for(
        len(uids),
        _copy,
        session.owner,
        selection.owner,
        selection.folder_id,
        uids,
        command.folder,
        is_move,
    )
    if not copied.source:
        return ok("No such messages")
    session.services.notifier.publish([target, selection.folder_id] if is_move else [target])
    code = b"COPYUID %d %b %b" % (
        copied.uid_validity,
        format_numbers(copied.source),
        format_numbers(copied.target),
    )
    if target == selection.folder_id:
        session.brought(target, copied.target)
        await session.catch_up()  # the copies are news here
    if not is_move:
        return ok("Copied", code)
    # RFC 6851 §4.3: COPYUID before the EXPUNGEs, since those make the source's UIDs mean nothing
    session.write(b"* OK [" + code + b"] Moved\r\n")
    await session.expunged(copied.source, copied.source_modseq or 0)
    return ok("Done")


def _copy(
    db: Connection,
    reader: MailboxId,
    owner: MailboxId,
    source: FolderId,
    uids: Sequence[Uid],
    name: str,
    is_move: bool,
) -> tuple[FolderId, Copied]:
    try:
        place = reach(db, reader, name, "i")
        target = open_folder(db, place.owner, place.name)
    except NoSuchFolder:
        raise Refused(no("No such folder", b"TRYCREATE")) from None
    if not uids:
        return target.id, Copied(target.uid_validity, (), (), None, None)
    return target.id, copy_as(
        db, reader, owner, source, uids, place.owner, target.id, is_move=is_move
    )
