"""LIST, LSUB and XLIST, with STATUS and MYRIGHTS for each folder (RFC 9051 §6.3.9, RFC 5258, RFC 5819, RFC 8440)."""

import asyncio
from dataclasses import dataclass

from accounts.mailstore.folders import LIST
from accounts.mailstore.listing import Hierarchy, deleted_bytes, hierarchy, own_folders
from accounts.mailstore.locking import folder_state
from accounts.mailstore.sharing import HAS_RIGHTS, rights_text
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

INLINE_MAXIMUM = 2000
"""Names times characters of patterns. What is more, a thread does beside the event loop: others have their turns."""
NAMES_A_CHUNK = 500


@handles("LIST", "XLIST", "LSUB", states=LOGGED_IN)
async def list_(session: Session, command: List) -> Reply:
    if command.patterns == ("",) and not command.is_extended and command.name != "LSUB":
        session.write(f'* {command.name} (\\Noselect) "/" ""\r\n'.encode("ascii"))
        return ok("Done")
    found = await _own(session, command)
    if found is None:
        found = await session.database.run(_read, session.owner, command)
    known, freeable = found
    if "HIGHESTMODSEQ" in command.status_items:
        session.condstore = True
    words = StatusWords(command.status_items, session.services.max_message_size, freeable)
    render = _Rendering(command, known, words, session.is_rev2, session.utf8)
    try:
        names = len(known.folders) + len(known.subscribed)
        if names * sum(map(len, command.patterns)) <= INLINE_MAXIMUM:
            chunks = render()
        else:
            chunks = await session.run_long(lambda db: render())
    except TooManyPatterns:
        return no("Too many patterns", b"LIMIT")
    for chunk in chunks:
        session.write(chunk)
        await session.connection.drain()
    return ok("Done")


async def _own(session: Session, command: List) -> tuple[Hierarchy, dict[FolderId, int]] | None:
    """What short questions answer; None where others share folders, or more than folders is asked for."""
    if _needs_subscriptions(command) or "DELETED-STORAGE" in command.status_items:
        return None
    ask, reader = session.services.questions.rows, session.owner
    rows, shares = await asyncio.gather(ask(LIST, reader), ask(HAS_RIGHTS, reader, reader, reader))
    if shares:
        return None
    return Hierarchy(own_folders(map(folder_state, rows)), frozenset()), {}


def _needs_subscriptions(command: List) -> bool:
    return command.name == "LSUB" or "SUBSCRIBED" in command.selects | command.returns


def _read(
    db: Connection, reader: MailboxId, command: List
) -> tuple[Hierarchy, dict[FolderId, int]]:
    known = hierarchy(db, reader, with_subscriptions=_needs_subscriptions(command))
    if "DELETED-STORAGE" not in command.status_items:
        return known, {}
    return known, deleted_bytes(db, [folder.state for folder in known.folders.values()])


@dataclass(frozen=True, slots=True)
class _Rendering:
    """Everything that a command shows, in chunks."""

    command: List
    known: Hierarchy
    words: StatusWords
    is_rev2: bool
    utf8: bool

    def __call__(self) -> list[bytes]:
        """Raises TooManyPatterns."""
        lines = [
            self._lines(one) for one in listing(self.command, self.known, is_rev2=self.is_rev2)
        ]
        starts = range(0, len(lines), NAMES_A_CHUNK)
        return [b"".join(lines[start : start + NAMES_A_CHUNK]) for start in starts]

    def _lines(self, listed: Listed) -> bytes:
        command, folder = self.command, listed.folder
        name = render_folder_name(listed.name, utf8=self.utf8)
        words = (command.name.encode("ascii"), listed.attributes.encode("ascii"), name)
        line = b'* %b (%b) "/" %b' % words
        if listed.child_info:
            quoted = " ".join(f'"{option}"' for option in listed.child_info)
            line += b' ("CHILDINFO" (%b))' % quoted.encode("ascii")
        line += b"\r\n"
        if folder is not None and listed.is_chosen:
            if command.status_items and folder.is_selectable:
                line += self.words.line(name, folder.state)
            if "MYRIGHTS" in command.returns:
                rights = rights_text(folder.rights).encode("ascii")
                line += b"* MYRIGHTS %b %b\r\n" % (name, rights)
        return line
