"""REPLACE and UID REPLACE (RFC 8508): a draft saved again takes the place of the one before."""

from accounts.mailstore.expunging import Expunged
from accounts.mailstore.sharing import reach
from accounts.mailstore.sharing_appends import replace_as
from accounts.mailstore.values import Appended, FolderId, MailboxId, NoSuchFolder, Uid
from transport.database_threads import Connection
from transport.imap.handlers.append import append_code, check_upload, to_store
from transport.imap.handlers.registry import handles
from transport.imap.replies import Refused, Reply, no, ok
from transport.imap.session import Session
from transport.imap.states import ONLY_SELECTED
from transport.imap.wire.commands.types import Replace, Upload


@handles("REPLACE", "UID REPLACE", states=ONLY_SELECTED, refreshes=True)
async def replace(session: Session, command: Replace) -> Reply:
    selection = session.selected
    if selection.read_only:
        return no("The folder is open read-only", b"READ-ONLY")
    places = selection.places(command.message, by_uid=command.by_uid)
    check_upload(session, command.upload)
    if not places:
        return no("No such message")
    uid = Uid(selection.view.uids[places[0]])
    replaced = await session.run_long(
        _replace,
        selection.owner,
        selection.folder_id,
        uid,
        session.owner,
        command.folder,
        command.upload,
    )
    if replaced is None:
        return no("The message is gone", b"EXPUNGEISSUED")
    appended, gone = replaced
    session.services.notifier.publish([appended.folder_id, selection.folder_id])
    # RFC 8508 §4.3: APPENDUID before the EXPUNGE
    session.write(b"* OK [" + append_code([appended]) + b"] Replacement message ready\r\n")
    if appended.folder_id == selection.folder_id:
        session.brought(appended.folder_id, [appended.uid])
        await session.catch_up()
    await session.expunged(gone.uids, gone.modseq)
    return ok("Replaced")


def _replace(
    db: Connection,
    owner: MailboxId,
    folder_id: FolderId,
    uid: Uid,
    reader: MailboxId,
    name: str,
    upload: Upload,
) -> tuple[Appended, Expunged] | None:
    try:
        target = reach(db, reader, name, "i")
        message, placement = to_store(target.owner, target.name, upload)
        return replace_as(db, owner, folder_id, uid, target, message, placement, cause="imap")
    except NoSuchFolder:
        raise Refused(no("No such folder", b"TRYCREATE")) from None
