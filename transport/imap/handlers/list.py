"""LIST, LSUB and XLIST (RFC 9051 §6.3.9, RFC 3501 §6.3.9; CHILDREN: RFC 3348; SPECIAL-USE: RFC 6154).

Children and special use are always told: Apple's Mail never asks for them, and Outlook wants them on LSUB too. XLIST
is Outlook's and never advertised.
"""

from collections.abc import Iterable, Iterator

from accounts.mailstore.folders import list_folders
from accounts.mailstore.subscriptions import list_subscriptions
from accounts.mailstore.values import MailboxId
from transport.database_threads import Connection
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, ok
from transport.imap.session import Session
from transport.imap.states import LOGGED_IN
from transport.imap.wire.commands.types import List
from transport.imap.wire.folder_names import SEPARATOR, matcher, render_folder_name

XLIST_USES = {"\\Junk": "\\Spam", "\\Archive": "\\AllMail"}


@handles("LIST", "XLIST", "LSUB", states=LOGGED_IN)
async def list_(session: Session, command: List) -> Reply:
    if command.patterns == ("",) and command.name != "LSUB":
        session.write(f'* {command.name} (\\Noselect) "/" ""\r\n'.encode("ascii"))
        return ok("Done")
    uses, subscribed = await session.database.run(_read, session.owner, command.name == "LSUB")
    listed = uses if command.name != "LSUB" else subscribed
    session.write(b"".join(_lines(command, uses, listed, utf8=session.utf8)))
    return ok("Done")


def _read(db: Connection, owner: MailboxId, is_lsub: bool) -> tuple[dict[str, str], list[str]]:
    """Name → special use of the folders that are there, and the subscriptions."""
    uses = {folder.name: folder.special_use for folder in list_folders(db, owner)}
    return uses, list_subscriptions(db, owner) if is_lsub else []


def _lines(
    command: List, uses: dict[str, str], listed: Iterable[str], *, utf8: bool
) -> Iterator[bytes]:
    names = set(listed)
    parents = {parent for name in names for parent in _parents(name)}
    with_children = {parent for name in uses for parent in _parents(name)}
    matches = [matcher(command.reference, pattern) for pattern in command.patterns]
    # A missing parent stands for what is below it where the pattern stops at a level (RFC 3501 §6.3.8-9).
    levels = any(pattern.endswith("%") for pattern in command.patterns)
    candidates = names | parents if levels else names
    for name in sorted(candidates, key=lambda n: (n != "INBOX", n)):
        if command.only_special and not uses.get(name):
            continue
        if any(match(name) for match in matches):
            attributes = list(_attributes(command, name, uses, names, with_children | parents))
            yield b'* %b (%b) "/" %b\r\n' % (
                command.name.encode("ascii"),
                " ".join(attributes).encode("ascii"),
                render_folder_name(name, utf8=utf8),
            )


def _attributes(
    command: List, name: str, uses: dict[str, str], listed: set[str], with_children: set[str]
) -> Iterator[str]:
    if name not in listed or name not in uses:
        yield "\\Noselect"
    yield "\\HasChildren" if name in with_children else "\\HasNoChildren"
    use = uses.get(name, "")
    if command.name == "XLIST":
        use = "\\Inbox" if name == "INBOX" else XLIST_USES.get(use, use)
    if use:
        yield use


def _parents(name: str) -> Iterator[str]:
    end = name.find(SEPARATOR)
    while end > 0:
        yield name[:end]
        end = name.find(SEPARATOR, end + 1)
