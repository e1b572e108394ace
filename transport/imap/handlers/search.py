"""SEARCH and SORT, by number and by UID (RFC 9051 §6.4.4; SORT: RFC 5256 §3; RETURN: RFC 4731, RFC 5267 §3).

With SAVE the result is kept as `$` (RFC 5182 §2.1); MODSEQ: RFC 7162 §3.1.5, §3.1.10; RELEVANCY: RFC 6203 §4;
PARTIAL: RFC 9394 §3.1. IMAP4rev2 hears ESEARCH always (RFC 9051 §6.4.4).
"""

from array import array
from collections.abc import Sequence

from accounts.mailstore.sorting import sort_places
from transport.imap.handlers.registry import handles
from transport.imap.replies import Refused, Reply, no, ok
from transport.imap.searching import Found, find
from transport.imap.selection import Selection
from transport.imap.session import Session
from transport.imap.states import ONLY_SELECTED
from transport.imap.wire.commands.types import Returns, Search
from transport.imap.wire.responses import esearch
from transport.imap.wire.search_keys import holds_modseq
from transport.imap.wire.sequence import format_numbers

BAD_CHARSET = no("The charset is not known", b"BADCHARSET (US-ASCII UTF-8)")
_ALL = Returns(frozenset(("ALL",)))


@handles("UID SEARCH", "UID SORT", states=ONLY_SELECTED, refreshes=True)
async def search_by_uid(session: Session, command: Search) -> Reply:
    return await _search(session, command)


@handles("SEARCH", "SORT", states=ONLY_SELECTED, refreshes=True, may_expunge=False)
async def search(session: Session, command: Search) -> Reply:
    return await _search(session, command)


async def _search(session: Session, command: Search) -> Reply:
    """`$` may stand in the search that will be the next `$`, which fails into an empty one (RFC 5182 §2.1)."""
    selection = session.selected
    saves = command.returns is not None and "SAVE" in command.returns.options
    try:
        return await _answer(session, command, saves=saves)
    except Exception:
        if saves:
            selection.saved = ()
        raise


async def _answer(session: Session, command: Search, *, saves: bool) -> Reply:
    selection, key = session.selected, command.key
    if key is None:
        raise Refused(BAD_CHARSET)
    wants_modseq = holds_modseq(key)
    session.condstore = session.condstore or wants_modseq
    by_relevancy = any(name == "RELEVANCY" for name, _ in command.criteria)
    with_scores = by_relevancy or "RELEVANCY" in (command.returns or _ALL).options
    found = await find(session, key, with_scores=with_scores)
    places = await _sorted(session, command, found) if command.criteria else found.places
    returns = command.returns
    if returns is None and session.is_rev2 and not command.criteria:
        returns = _ALL
    if returns is None:
        session.write(_plain(selection, command, places, wants_modseq))
        return ok("Done")
    if saves:
        _save(selection, returns, places)
    if returns.options != {"SAVE"}:
        session.write(_extended(session, command, returns, places, found.scores, wants_modseq))
    return ok("Done")


async def _sorted(session: Session, command: Search, found: Found) -> Sequence[int]:
    """The places in the order asked for."""
    selection, places = session.selected, found.places
    view = selection.view
    if not places:
        return ()
    is_all = len(places) == len(view)
    wanted = view.uids if is_all else [view.uids[place] for place in places]
    order = await session.run_long(
        sort_places,
        selection.owner,
        selection.folder_id,
        wanted,
        command.criteria,
        found.scores,
        len(view),
    )
    return order if is_all else [places[at] for at in order]


def _numbers(selection: Selection, by_uid: bool, places: Sequence[int]) -> list[int]:
    if by_uid:
        uids = selection.view.uids
        return [uids[place] for place in places]
    return [place + 1 for place in places]


def _save(selection: Selection, returns: Returns, places: Sequence[int]) -> None:
    """RFC 5182 §2.4, RFC 9394 §3.2: with MIN, MAX and PARTIAL alone, `$` is what they return."""
    options = returns.options
    if options & {"MIN", "MAX", "PARTIAL"} and not options & {"ALL", "COUNT"}:
        chosen = set(returns.partial.of(places)) if returns.partial else set()
        chosen.update(_ends(returns, places))
        places = list(chosen)
    selection.saved = array("q", [selection.view.uids[place] for place in sorted(places)])


def _ends(returns: Returns, places: Sequence[int]) -> list[int]:
    """The places that MIN and MAX return."""
    first = places[:1] if "MIN" in returns.options else ()
    last = places[-1:] if "MAX" in returns.options else ()
    return [*first, *last]


def _plain(
    selection: Selection, command: Search, places: Sequence[int], wants_modseq: bool
) -> bytes:
    """The numbers as Python writes a list, without its commas: many times faster than one by one."""
    numbers = repr(_numbers(selection, command.by_uid, places))[1:-1].replace(",", "").encode()
    words = [b"* SORT" if command.criteria else b"* SEARCH"]
    if places:
        words.append(numbers)
    if wants_modseq and places:
        words.append(b"(MODSEQ %d)" % _highest(selection, places))
    return b" ".join(words) + b"\r\n"


def _extended(
    session: Session,
    command: Search,
    returns: Returns,
    places: Sequence[int],
    scores: dict[int, int],
    wants_modseq: bool,
) -> bytes:
    items: list[tuple[bytes, bytes]] = []
    selection, options = session.selected, returns.options

    def told(these: Sequence[int]) -> bytes:
        return format_numbers(_numbers(selection, command.by_uid, these))

    if places and "MIN" in options:
        items.append((b"MIN", told(places[:1])))
    if places and "MAX" in options:
        items.append((b"MAX", told(places[-1:])))
    if places and "ALL" in options:
        items.append((b"ALL", told(places)))
    part = places
    if returns.partial:
        part = returns.partial.of(places)
        items.append((b"PARTIAL", b"(%b %b)" % (returns.partial.text, told(part) or b"NIL")))
    if "RELEVANCY" in options:
        listed = b" ".join(b"%d" % scores[selection.view.uids[place]] for place in part)
        items.append((b"RELEVANCY", b"(" + listed + b")"))
    if "COUNT" in options:
        items.append((b"COUNT", b"%d" % len(places)))
    if wants_modseq and places:
        if not options & {"ALL", "COUNT"}:  # RFC 7162 §3.1.10: of those that are told
            places = [*(part if returns.partial else ()), *_ends(returns, places)] or places
        items.append((b"MODSEQ", b"%d" % _highest(selection, places)))
    return esearch(session.tag, by_uid=command.by_uid, items=items)


def _highest(selection: Selection, places: Sequence[int]) -> int:
    modseqs = selection.view.modseqs
    return max(modseqs[place] for place in places)
