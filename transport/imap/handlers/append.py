"""APPEND (RFC 9051 §6.3.12; APPENDUID: RFC 4315 §3; MULTIAPPEND: RFC 3502). The reader bounds the literals.

Raw 8-bit header fields are taken without RFC 6855's UTF8 extension too: old mail has them, and what copies a mailbox
here (imapsync, mbsync) would lose it.
"""

from collections.abc import Sequence

from accounts.mailstore.binary_parts import without_nul
from accounts.mailstore.folder_names import canonical_name
from accounts.mailstore.headers import HEADER_LIMIT, header_end
from accounts.mailstore.sharing import reach
from accounts.mailstore.sharing_appends import append_as
from accounts.mailstore.values import (
    Appended,
    MailboxId,
    NewMessage,
    NoSuchFolder,
    Placement,
    new_message,
)
from transport.database_threads import Connection
from transport.imap.handlers.folders import tell_normalised
from transport.imap.handlers.registry import handles
from transport.imap.replies import Refused, Reply, no, ok
from transport.imap.selection import decode_flags
from transport.imap.session import FEW_MESSAGES, Session
from transport.imap.states import LOGGED_IN
from transport.imap.wire.commands.types import Append, Upload
from transport.imap.wire.sequence import format_numbers

SMALL_OCTETS = 262_144
"""Up to so many it is short work."""
LARGE = FEW_MESSAGES + 1


@handles("APPEND", states=LOGGED_IN)
async def append(session: Session, command: Append) -> Reply:
    for upload in command.uploads:
        check_upload(session, upload)
    is_small = sum(len(upload.content) for upload in command.uploads) <= SMALL_OCTETS
    messages = len(command.uploads) if is_small else LARGE
    appended = await session.run_for(
        messages, _append, session.owner, command.folder, command.uploads
    )
    session.services.notifier.publish([appended[0].folder_id])
    session.brought(appended[0].folder_id, [one.uid for one in appended])
    await session.catch_up()
    session.tell(expunges=True)
    tell_normalised(session, command.folder)
    return ok("Appended", append_code(appended))


def check_upload(session: Session, upload: Upload) -> None:
    """Raises Refused for what can be told without the store."""
    decode_flags(upload.flags)
    if not upload.content:
        raise Refused(no("An empty message is none"))
    if upload.is_utf8 and not session.utf8:
        raise Refused(no("ENABLE UTF8=ACCEPT first"))


def append_code(appended: Sequence[Appended]) -> bytes:
    """APPENDUID: the UIDs in the order of the messages."""
    uids = format_numbers([one.uid for one in appended])
    return b"APPENDUID %d %b" % (appended[0].uid_validity, uids)


def to_store(owner: MailboxId, name: str, upload: Upload) -> tuple[NewMessage, Placement]:
    """What the store takes. Raises Refused."""
    content = without_nul(upload.content)
    if content is None:
        raise Refused(no("The message holds NUL outside of a binary part", b"UNKNOWN-CTE"))
    if header_end(content) > HEADER_LIMIT:  # clients fetch headers by the hundred
        raise Refused(no("The header is too large", b"LIMIT"))
    flags = decode_flags(upload.flags)
    placement = Placement(
        owner, flags=flags, internal_date=upload.internal_date, name=canonical_name(name)
    )
    return new_message(content), placement


def _append(
    db: Connection, reader: MailboxId, name: str, uploads: Sequence[Upload]
) -> tuple[Appended, ...]:
    try:
        target = reach(db, reader, name, "i")
        pairs = [to_store(target.owner, target.name, upload) for upload in uploads]
        return append_as(db, target, pairs, cause="imap")
    except NoSuchFolder:
        raise Refused(no("No such folder", b"TRYCREATE")) from None
