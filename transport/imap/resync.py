"""What happened while a client was away: VANISHED (EARLIER) and changed flags (RFC 7162 §3.2.5-6)."""

import asyncio

from accounts.mailstore.changes import Changes, expunged_since
from accounts.mailstore.values import ModSeq
from transport.imap.selection import Selection, fetch_line
from transport.imap.session import Session
from transport.imap.wire.commands.types import Resync
from transport.imap.wire.known_uids import (
    Span,
    holds,
    intersection,
    known_spans,
    known_through,
    missing,
)
from transport.imap.wire.responses import vanished_earlier
from transport.imap.wire.sequence import STAR, SequenceSet, spans_of

FETCH_BATCH = 2000


async def resynchronise(
    session: Session, selection: Selection, known: Resync, changes: Changes | None, uid_next: int
) -> None:
    """Tell what went and what changed since the client left, of the messages that it names.

    `changes` (since then or before) are None where those are forgotten: all that ever went may be news then.
    """
    view = selection.view
    if known.modseq >= view.modseq:
        return
    if changes is None:
        gone = missing(view.uids, uid_next)
        places = [place for place, modseq in enumerate(view.modseqs) if modseq > known.modseq]
    else:
        gone = spans_of(sorted(changes.vanished))
        found = (view.index(uid) for uid, _, at in changes.entries if at > known.modseq)
        places = [place for place in found if place is not None]
    wanted = known_spans(known, uid_next)
    unknown = intersection(wanted, [(known_through(known, view.uids) + 1, uid_next)])
    session.write(vanished_earlier(intersection(gone, unknown)))
    for start in range(0, len(places), FETCH_BATCH):
        batch = places[start : start + FETCH_BATCH]
        lines = [
            fetch_line(session.modes, place + 1, view.uids[place], selection.flag_words(place))
            for place in batch
            if holds(wanted, view.uids[place])
        ]
        session.write(b"".join(lines))
        await session.connection.drain()
        await asyncio.sleep(0)  # others have their turn


async def vanished_since(session: Session, messages: SequenceSet, modseq: int) -> bytes:
    """VANISHED (EARLIER) for UID FETCH. What the client still counts among its messages is left to VANISHED."""
    selection = session.selected
    view = selection.view
    gone, uid_next = await session.database.run(
        expunged_since, selection.owner, selection.folder_id, ModSeq(modseq)
    )
    wanted = spans_of(selection.saved) if messages.is_saved else messages.resolve(STAR)
    if gone is None:
        spans: list[Span] = missing(view.uids, uid_next)
    else:
        spans = spans_of(sorted(uid for uid in gone if view.index(uid) is None))
    return vanished_earlier(intersection(spans, wanted))
