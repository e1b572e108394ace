"""SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314 §3).

Who may not look a folder up (`l`) hears what he hears of one that does not exist (§6).
"""

from typing import cast

from accounts.mailstore.folders import open_folder
from accounts.mailstore.sharing import ALL_RIGHTS, Reach, reach, rights_text
from accounts.mailstore.sharing_rights import (
    Grant,
    Grantee,
    Mode,
    find_grantee,
    list_grants,
    members,
    set_rights,
)
from accounts.mailstore.values import FolderId, MailboxId, NoSuchFolder
from accounts.saslprep import Unpreparable, saslprep
from transport.database_threads import Connection
from transport.imap.handlers.registry import handles
from transport.imap.mailbox_hints import mailbox_hint
from transport.imap.replies import Refused, Reply, bad, ok
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.wire.commands.types import FolderCommand, ListRights, SetAcl
from transport.imap.wire.folder_names import render_folder_name
from transport.imap.wire.responses import astring

TO_ADMINISTER = "la"
ANY_OF = "lrikxa"
"""One of these makes MYRIGHTS answer (RFC 4314 §4)."""


@handles("SETACL", "DELETEACL", states=LOGGED_IN)
async def set_acl(session: Session, command: SetAcl) -> Reply:
    folder, concerned = await session.database.run(
        _set, session.owner, command, _prepared(command.identifier)
    )
    session.services.notifier.publish([folder, *map(mailbox_hint, concerned)])
    return ok("Done")


@handles("GETACL", states=LOGGED_IN)
async def get_acl(session: Session, command: FolderCommand) -> Reply:
    grants = await session.database.run(_grants, session.owner, command.folder)
    words = [b"* ACL", render_folder_name(command.folder, utf8=session.utf8)]
    for grant in grants:
        words += [astring(grant.identifier.encode()), rights_text(grant.rights).encode("ascii")]
    session.write(b" ".join(words) + b"\r\n")
    return ok("Done")


@handles("LISTRIGHTS", states=LOGGED_IN)
async def list_rights(session: Session, command: ListRights) -> Reply:
    target, grantee = await session.database.run(
        _grantee, session.owner, command.folder, _prepared(command.identifier)
    )
    always = rights_text(ALL_RIGHTS) if grantee == Grantee(target.owner, False) else ""
    words = [
        b"* LISTRIGHTS",
        render_folder_name(command.folder, utf8=session.utf8),
        astring(command.sent_identifier),
        always.encode("ascii") or b'""',
    ]
    if grantee.mailbox != target.owner:
        words += [right.encode("ascii") for right in rights_text(ALL_RIGHTS)]
    session.write(b" ".join(words) + b"\r\n")
    return ok("Done")


@handles("MYRIGHTS", states=LOGGED_IN)
async def my_rights(session: Session, command: FolderCommand) -> Reply:
    rights = await session.database.run(_my_rights, session.owner, command.folder)
    name = render_folder_name(command.folder, utf8=session.utf8)
    session.write(b"* MYRIGHTS %b %b\r\n" % (name, rights_text(rights).encode("ascii")))
    return ok("Done")


def _prepared(identifier: str) -> str:
    """RFC 4314 §3: an identifier that SASLprep refuses is BAD."""
    try:
        prepared = saslprep(identifier)
    except Unpreparable:
        prepared = ""
    if not prepared.removeprefix("-"):
        raise Refused(bad("bad identifier"))
    return prepared


def _set(
    db: Connection, reader: MailboxId, command: SetAcl, identifier: str
) -> tuple[FolderId, set[MailboxId]]:
    """The folder, and whose list of folders may be another now."""
    target, folder = _open(db, reader, command.folder, TO_ADMINISTER)
    grantee = find_grantee(db, identifier)
    set_rights(db, target.owner, folder, grantee, command.rights, cast(Mode, command.mode))
    return folder, {target.owner, *members(db, target.owner, grantee)}


def _grants(db: Connection, reader: MailboxId, name: str) -> tuple[Grant, ...]:
    target, folder = _open(db, reader, name, TO_ADMINISTER)
    return list_grants(db, target.owner, folder)


def _grantee(
    db: Connection, reader: MailboxId, name: str, identifier: str
) -> tuple[Reach, Grantee]:
    target, _ = _open(db, reader, name, TO_ADMINISTER)
    return target, find_grantee(db, identifier)


def _my_rights(db: Connection, reader: MailboxId, name: str) -> str:
    target, _ = _open(db, reader, name, "")
    if not set(ANY_OF) & set(target.rights):
        raise NoSuchFolder
    return target.rights


def _open(db: Connection, reader: MailboxId, name: str, needed: str) -> tuple[Reach, FolderId]:
    target = reach(db, reader, name, needed)
    return target, open_folder(db, target.owner, target.name).id
