"""LIST, LSUB and XLIST, with STATUS and MYRIGHTS for each folder (RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 8440)."""

import asyncio

from accounts.mailstore.listing import Hierarchy, deleted_bytes, hierarchy
from accounts.mailstore.sharing import rights_text
from accounts.mailstore.values import FolderId, MailboxId
from transport.database_threads import Connection
from transport.imap.handlers.registry import handles
from transport.imap.handlers.status import StatusWords
from transport.imap.listing import Listed, listing
from transport.imap.replies import Reply, no, ok
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.wire.commands.types import List
from transport.imap.wire.folder_names import render_folder_name
from transport.imap.wire.patterns import TooManyPatterns

NAMES_IN_A_ROW = 500
"""After so many, other sessions have their turn."""


@handles("LIST", "XLIST", "LSUB", states=LOGGED_IN)
async def list_(session: Session, command: List) -> Reply:
    if command.patterns == ("",) and not command.is_extended and command.name != "LSUB":
        session.write(f'* {command.name} (\\Noselect) "/" ""\r\n'.encode("ascii"))
        return ok("Done")
    known, freeable = await session.database.run(_read, session.owner, command)
    if "HIGHESTMODSEQ" in command.status_items:
        session.condstore = True
    words = StatusWords(command.status_items, session.services.max_message_size, freeable)
    try:
        for number, listed in enumerate(listing(command, known, is_rev2=session.is_rev2)):
            session.write(_lines(command, listed, words, utf8=session.utf8))
            if number % NAMES_IN_A_ROW == NAMES_IN_A_ROW - 1:
                await session.connection.drain()
                await asyncio.sleep(0)
    except TooManyPatterns:
        return no("Too many patterns", b"LIMIT")
    return ok("Done")


def _read(
    db: Connection, reader: MailboxId, command: List
) -> tuple[Hierarchy, dict[FolderId, int]]:
    needs_subscriptions = (
        command.name == "LSUB" or "SUBSCRIBED" in command.selects | command.returns
    )
    known = hierarchy(db, reader, with_subscriptions=needs_subscriptions)
    if "DELETED-STORAGE" not in command.status_items:
        return known, {}
    return known, deleted_bytes(db, [folder.state for folder in known.folders.values()])


def _lines(command: List, listed: Listed, words: StatusWords, *, utf8: bool) -> bytes:
    name = render_folder_name(listed.name, utf8=utf8)
    line = b'* %b (%b) "/" %b' % (
        command.name.encode("ascii"),
        listed.attributes.encode("ascii"),
        name,
    )
    if listed.child_info:
        quoted = " ".join(f'"{option}"' for option in listed.child_info)
        line += b' ("CHILDINFO" (%b))' % quoted.encode("ascii")
    lines = [line + b"\r\n"]
    folder = listed.folder
    if folder is not None and listed.is_chosen:
        if command.status_items and folder.is_selectable:
            lines.append(words.line(name, folder.state))
        if "MYRIGHTS" in command.returns:
            lines.append(
                b"* MYRIGHTS %b %b\r\n" % (name, rights_text(folder.rights).encode("ascii"))
            )
    return b"".join(lines)
