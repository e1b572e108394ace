"""LIST with its options, LSUB, XLIST and STATUS (RFC 9051 §6.3.9, §6.3.11; RFC 5258 §6; RFC 3501 §6.3.9).

STATUS as a return option: RFC 5819. SPECIAL-USE: RFC 6154 §6. MYRIGHTS: RFC 8440 §5.
"""

from transport.imap.wire.commands.registry import parses
from transport.imap.wire.commands.types import Command, List, Status
from transport.imap.wire.cursor import Cursor, ImapSyntaxError

# RFC 9051 §6.3.11; DELETED-STORAGE: RFC 9208 §4.1.4; HIGHESTMODSEQ: RFC 7162 §3.1.7; MAILBOXID: RFC 8474 §4.3;
# APPENDLIMIT: RFC 7889 §3.1
STATUS_ITEMS = frozenset(
    (
        "MESSAGES",
        "UIDNEXT",
        "UIDVALIDITY",
        "UNSEEN",
        "DELETED",
        "DELETED-STORAGE",
        "SIZE",
        "HIGHESTMODSEQ",
        "MAILBOXID",
        "APPENDLIMIT",
    )
)
SELECTION_OPTIONS = frozenset(("SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"))
RETURN_OPTIONS = frozenset(("SUBSCRIBED", "CHILDREN", "SPECIAL-USE", "MYRIGHTS", "STATUS"))


@parses("LIST")
def parse_list(cursor: Cursor, name: str) -> Command:
    cursor.space()
    selects: frozenset[str] = frozenset()
    is_extended = cursor.peek() == b"("
    if is_extended:
        selects = _selection_options(cursor)
        cursor.space()
    reference = cursor.list_pattern()
    cursor.space()
    if cursor.peek() == b"(":
        is_extended = True
        patterns = tuple(cursor.parenthesised(cursor.list_pattern))
    else:
        patterns = (cursor.list_pattern(),)
    returns: frozenset[str] = frozenset()
    items: tuple[str, ...] = ()
    if not cursor.at_end:
        is_extended = True
        cursor.space()
        cursor.expect(b"RETURN ")
        returns, items = _return_options(cursor)
    return List(name, reference, patterns, selects, returns, items, is_extended)


@parses("LSUB", "XLIST")
def parse_simple_list(cursor: Cursor, name: str) -> Command:
    cursor.space()
    reference = cursor.list_pattern()
    cursor.space()
    nothing: frozenset[str] = frozenset()
    return List(name, reference, (cursor.list_pattern(),), nothing, nothing, (), is_extended=False)


@parses("STATUS")
def parse_status(cursor: Cursor, name: str) -> Command:
    cursor.space()
    folder = cursor.folder()
    cursor.space()
    return Status(folder, _status_items(cursor))


def _status_items(cursor: Cursor) -> tuple[str, ...]:
    """Each once; RECENT is IMAP4rev1's alone."""
    items = tuple(dict.fromkeys(cursor.words()))
    known = STATUS_ITEMS if cursor.modes.is_rev2 else STATUS_ITEMS | {"RECENT"}
    if not items or set(items) - known:
        raise ImapSyntaxError("unknown status item" if items else "no status items")
    return items


def _selection_options(cursor: Cursor) -> frozenset[str]:
    options = frozenset(cursor.words())
    if options - SELECTION_OPTIONS:
        raise ImapSyntaxError("unknown selection option")
    if "RECURSIVEMATCH" in options and not options & {"SUBSCRIBED", "SPECIAL-USE"}:
        raise ImapSyntaxError("RECURSIVEMATCH needs another selection option")
    return options


def _return_options(cursor: Cursor) -> tuple[frozenset[str], tuple[str, ...]]:
    items: tuple[str, ...] = ()

    def option() -> str:
        nonlocal items
        name = cursor.keyword()
        if name not in RETURN_OPTIONS:
            raise ImapSyntaxError("unknown return option")
        if name == "STATUS":
            cursor.space()
            items = _status_items(cursor)
        return name

    return frozenset(cursor.parenthesised(option)), items
