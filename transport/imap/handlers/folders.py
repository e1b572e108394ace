"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 §6.3.4-8; special uses: RFC 6154 §3)."""

from accounts.mailstore import folders, subscriptions
from accounts.mailstore.folder_names import canonical_name
from accounts.mailstore.sharing import reach, reach_new
from accounts.mailstore.values import INBOX, FolderId, MailboxId, SpecialUseInvalid
from transport.database_threads import Connection
from transport.imap.handlers.registry import handles
from transport.imap.mailbox_hints import mailbox_hint
from transport.imap.replies import Refused, Reply, no, ok
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.wire.commands.types import Create, FolderCommand, Rename
from transport.imap.wire.folder_names import list_line
from transport.imap.wire.object_ids import mailbox_id


@handles("CREATE", states=LOGGED_IN)
async def create(session: Session, command: Create) -> Reply:
    owner, created = await session.database.run(_create, session.owner, command)
    _publish(session, owner)
    tell_normalised(session, command.folder)
    return ok("Created", b"MAILBOXID (%b)" % mailbox_id(created))  # RFC 8474 §4.1


@handles("DELETE", states=LOGGED_IN)
async def delete(session: Session, command: FolderCommand) -> Reply:
    owner, folder_id = await session.run_long(_delete, session.owner, command.folder)
    if session.selection is not None and session.selection.folder_id == folder_id:
        session.deselect()
        session.write(b"* OK [CLOSED] The selected folder is gone\r\n")
    _publish(session, owner, folder_id)
    tell_normalised(session, command.folder, b"\\NonExistent")
    return ok("Deleted")


@handles("RENAME", states=LOGGED_IN)
async def rename(session: Session, command: Rename) -> Reply:
    if command.source == command.target:
        return no("The folder has that name", b"ALREADYEXISTS")
    owner, renamed = await session.run_long(_rename, session.owner, command.source, command.target)
    _publish(session, owner, *renamed.folder_ids)
    source, target = command.source, canonical_name(command.target)
    if session.is_rev2 and (source, command.target) != (canonical_name(source), target):
        session.write(list_line(b"", target, utf8=True, old_name=source))
    return ok("Renamed")


@handles("SUBSCRIBE", states=LOGGED_IN)
async def subscribe(session: Session, command: FolderCommand) -> Reply:
    await session.database.run(subscriptions.subscribe, session.owner, command.folder)
    _publish(session, session.owner)
    return ok("Subscribed")


@handles("UNSUBSCRIBE", states=LOGGED_IN)
async def unsubscribe(session: Session, command: FolderCommand) -> Reply:
    await session.database.run(subscriptions.unsubscribe, session.owner, command.folder)
    _publish(session, session.owner)
    return ok("Unsubscribed")


def _publish(session: Session, owner: MailboxId, *folders: FolderId) -> None:
    """Tell of changed folders, and that the lists of their owner and of who changed them are not what they were."""
    lists = {mailbox_hint(owner), mailbox_hint(session.owner)}
    session.services.notifier.publish([*folders, *lists])


def tell_normalised(session: Session, name: str, attributes: bytes = b"") -> None:
    """The name that a folder has, where the client wrote it otherwise (OLDNAME, RFC 9051 §6.3.9.7)."""
    normalised = canonical_name(name)
    if session.is_rev2 and normalised != name:
        session.write(list_line(attributes, normalised, utf8=True, old_name=name))


def _create(db: Connection, reader: MailboxId, command: Create) -> tuple[MailboxId, FolderId]:
    target = reach_new(db, reader, command.folder)
    uses = set(command.uses)
    if len(uses) > 1 or (uses and not target.is_own):
        raise SpecialUseInvalid
    use = uses.pop() if uses else ""
    return target.owner, folders.create_folder(db, target.owner, target.name, use).id


def _delete(db: Connection, reader: MailboxId, name: str) -> tuple[MailboxId, FolderId]:
    target = reach(db, reader, name, "x")
    return target.owner, folders.delete_folder(db, target.owner, target.name)


def _rename(
    db: Connection, reader: MailboxId, old_name: str, new_name: str
) -> tuple[MailboxId, folders.Renamed]:
    source = reach(db, reader, old_name, "x")
    target = reach_new(db, reader, new_name)
    if source.owner != target.owner or (source.name == INBOX and not source.is_own):
        raise Refused(no("A folder stays with its owner", b"CANNOT"))
    renamed = folders.rename_folder(db, source.owner, source.name, target.name)
    return source.owner, renamed
