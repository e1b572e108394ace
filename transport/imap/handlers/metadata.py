"""GETMETADATA and SETMETADATA (RFC 5464 §4), of folders and of the server."""

from accounts.mailstore.annotations import Annotation, get_annotations, set_annotations
from transport.imap.handlers.registry import handles
from transport.imap.mailbox_hints import mailbox_hint
from transport.imap.replies import Reply, ok
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.wire.commands.types import GetMetadata, SetMetadata
from transport.imap.wire.folder_names import render_folder_name
from transport.imap.wire.responses import string


@handles("GETMETADATA", states=LOGGED_IN)
async def get_metadata(session: Session, command: GetMetadata) -> Reply:
    found = await session.run_long(
        get_annotations,
        session.owner,
        command.folder,
        command.entries,
        max_size=command.max_size,
        depth=command.depth,
    )
    told = [entry for entry in found if entry.value is not None or not entry.size]
    if told:
        name = render_folder_name(command.folder, utf8=session.utf8)
        session.write(b"* METADATA %b (%b)\r\n" % (name, b" ".join(map(_words, told))))
    left_out = [entry.size for entry in found if entry.value is None and entry.size]
    return ok("Done", b"METADATA LONGENTRIES %d" % max(left_out) if left_out else b"")


@handles("SETMETADATA", states=LOGGED_IN)
async def set_metadata(session: Session, command: SetMetadata) -> Reply:
    place = await session.database.run(
        set_annotations, session.owner, command.folder, dict(command.values)
    )
    changed = {mailbox_hint(session.owner), mailbox_hint(place.owner or session.owner)}
    session.services.notifier.publish([*changed, place.folder] if place.folder else [*changed])
    return ok("Done")


def _words(entry: Annotation) -> bytes:
    """entry SP value; what holds NUL is a literal8."""
    name = render_folder_name(entry.name, utf8=True)
    if entry.value is None:
        return name + b" NIL"
    return name + b" " + (b"~" if b"\0" in entry.value else b"") + string(entry.value)
