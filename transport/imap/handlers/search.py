"""SEARCH and UID SEARCH (RFC 9051 §6.4.4; RETURN: RFC 4731; MODSEQ: RFC 7162 §3.1.5, §3.1.10)."""

from accounts.mailstore import query
from accounts.mailstore.search import search as search_store
from accounts.mailstore.values import Uid
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, ok
from transport.imap.selection import Selection
from transport.imap.session import Session
from transport.imap.states import ONLY_SELECTED
from transport.imap.wire import search_keys
from transport.imap.wire.commands.types import Search
from transport.imap.wire.responses import esearch
from transport.imap.wire.search_keys import SearchKey, holds_modseq
from transport.imap.wire.sequence import format_numbers


@handles("UID SEARCH", states=ONLY_SELECTED, refreshes=True)
async def uid_search(session: Session, command: Search) -> Reply:
    return await _search(session, command)


@handles("SEARCH", states=ONLY_SELECTED, refreshes=True, may_expunge=False)
async def search(session: Session, command: Search) -> Reply:
    return await _search(session, command)


async def _search(session: Session, command: Search) -> Reply:
    selection = session.selected
    wants_modseq = holds_modseq(command.key)
    session.condstore = session.condstore or wants_modseq
    found = await session.run_long(
        search_store,
        selection.owner,
        selection.folder_id,
        resolve(command.key, selection),
    )
    places = [place for uid in found if (place := selection.view.index(uid)) is not None]
    numbers = (
        [selection.view.uids[place] for place in places]
        if command.by_uid
        else [place + 1 for place in places]
    )
    if command.returns is None:
        session.write(_plain(selection, places, numbers, wants_modseq))
    else:
        session.write(_extended(session, command, places, numbers, wants_modseq))
    return ok("Done")


def resolve(key: SearchKey, selection: Selection) -> query.Query:
    """The mail store's query, in which message sets are UIDs."""
    match key:
        case search_keys.Leaf(leaf):
            return leaf
        case search_keys.Not(inner):
            return query.Not(resolve(inner, selection))
        case search_keys.And(keys):
            return query.And(tuple(resolve(k, selection) for k in keys))
        case search_keys.Or(first, second):
            return query.Or((resolve(first, selection), resolve(second, selection)))
        case search_keys.Messages():
            return query.UidRanges(_uid_ranges(key, selection))


def _uid_ranges(key: search_keys.Messages, selection: Selection) -> tuple[tuple[Uid, Uid], ...]:
    uids = selection.view.uids
    if key.by_uid:
        spans = key.messages.resolve(uids[-1] if uids else 0)
        return tuple((Uid(low), Uid(high)) for low, high in spans)
    return tuple(
        (Uid(uids[low - 1]), Uid(uids[min(high, len(uids)) - 1]))
        for low, high in key.messages.resolve(len(uids))
        if low <= len(uids)
    )


def _plain(
    selection: Selection, places: list[int], numbers: list[int], wants_modseq: bool
) -> bytes:
    words = [b"* SEARCH", *(b"%d" % number for number in numbers)]
    if wants_modseq and places:
        words.append(b"(MODSEQ %d)" % _highest(selection, places))
    return b" ".join(words) + b"\r\n"


def _extended(
    session: Session,
    command: Search,
    places: list[int],
    numbers: list[int],
    wants_modseq: bool,
) -> bytes:
    items: list[tuple[bytes, bytes]] = []
    returns = command.returns or ()
    if numbers and "MIN" in returns:
        items.append((b"MIN", b"%d" % numbers[0]))
    if numbers and "MAX" in returns:
        items.append((b"MAX", b"%d" % numbers[-1]))
    if numbers and "ALL" in returns:
        items.append((b"ALL", format_numbers(numbers)))
    if "COUNT" in returns:
        items.append((b"COUNT", b"%d" % len(numbers)))
    if wants_modseq and places:
        if not {"ALL", "COUNT"} & set(returns):  # RFC 7162 §3.1.10: of those that are told
            ends = [places[0]] * ("MIN" in returns) + [places[-1]] * ("MAX" in returns)
            places = ends
        items.append((b"MODSEQ", b"%d" % _highest(session.selected, places)))
    return esearch(session.tag, by_uid=command.by_uid, items=items)


def _highest(selection: Selection, places: list[int]) -> int:
    return max(selection.view.modseqs[place] for place in places)
