"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 9051 §6.3.4-8)."""

from accounts.mailstore import folders, subscriptions
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, no, ok
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.wire.commands.types import FolderCommand, Rename


@handles("CREATE", states=LOGGED_IN)
async def create(session: Session, command: FolderCommand) -> Reply:
    await session.database.run(folders.create_folder, session.owner, command.folder)
    return ok("Created")


@handles("DELETE", states=LOGGED_IN)
async def delete(session: Session, command: FolderCommand) -> Reply:
    folder_id = await session.run_long(folders.delete_folder, session.owner, command.folder)
    if session.selection is not None and session.selection.folder_id == folder_id:
        session.deselect()
        session.write(b"* OK [CLOSED] The selected folder is gone\r\n")
    session.services.notifier.publish([folder_id])
    return ok("Deleted")


@handles("RENAME", states=LOGGED_IN)
async def rename(session: Session, command: Rename) -> Reply:
    if command.source == command.target:
        return no("The folder has that name", b"ALREADYEXISTS")
    renamed = await session.run_long(
        folders.rename_folder, session.owner, command.source, command.target
    )
    session.services.notifier.publish(renamed.folder_ids)
    return ok("Renamed")


@handles("SUBSCRIBE", states=LOGGED_IN)
async def subscribe(session: Session, command: FolderCommand) -> Reply:
    await session.database.run(subscriptions.subscribe, session.owner, command.folder)
    return ok("Subscribed")


@handles("UNSUBSCRIBE", states=LOGGED_IN)
async def unsubscribe(session: Session, command: FolderCommand) -> Reply:
    await session.database.run(subscriptions.unsubscribe, session.owner, command.folder)
    return ok("Unsubscribed")
