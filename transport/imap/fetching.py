"""FETCH: batches of messages read and rendered beside the event loop, the next one while this one is sent."""

import asyncio
from collections.abc import Sequence

from accounts.mailstore.flagbits import SEEN
from accounts.mailstore.values import Uid
from transport.imap.connection import ConnectionEnded
from transport.imap.fetch_lines import Batch, Rendered, render_batch, view_lines
from transport.imap.fetch_plan import Plan
from transport.imap.replies import reply_to
from transport.imap.selection import Selection
from transport.imap.session import Session
from transport.imap.streams import Stream, send_stream

VIEW_BATCH = 5000
SMALL_BATCH = 100
"""Messages whose attributes are short work: a page of a list."""
FEW_CONTENTS = 5
"""Messages whose contents are: somebody reads. Of a large one only its place is read here (`streams`)."""


async def send_from_view(session: Session, plan: Plan, places: Sequence[int]) -> None:
    """The responses of a plan that needs no columns."""
    for start in range(0, len(places), VIEW_BATCH):
        session.write(view_lines(plan, _batch(session, places[start : start + VIEW_BATCH])))
        await session.connection.drain()
        await asyncio.sleep(0)  # others have their turn


async def send_messages(session: Session, plan: Plan, places: Sequence[int]) -> Rendered:
    """Read and send; the sum of what came of it."""
    found, unknown_encoding = 0, False
    batches = [places[at : at + plan.batch] for at in range(0, len(places), plan.batch)]
    following: asyncio.Task[Rendered] | None = None
    try:
        for number, batch in enumerate(batches):
            rendered = await (following or _read(session, plan, batch))
            following = None
            if number + 1 < len(batches) and not plan.sets_seen:  # seen is what was sent
                following = asyncio.create_task(_read(session, plan, batches[number + 1]))
            _learn(session, session.selected, rendered)
            await _send(session, rendered)
            found += rendered.found
            unknown_encoding = unknown_encoding or rendered.unknown_encoding
    finally:
        if following is not None:
            following.cancel()
    return Rendered((), found, unknown_encoding)


def _batch(session: Session, places: Sequence[int]) -> Batch:
    selection = session.selected
    view = selection.view
    uids = [view.uids[place] for place in places]
    return Batch(
        b"* %d UIDFETCH (" if session.uid_only else b"* %d FETCH (",
        uids if session.uid_only else [place + 1 for place in places],
        uids,
        [view.flags[place] for place in places],
        [view.modseqs[place] for place in places],
        selection.flag_texts,
    )


async def _read(session: Session, plan: Plan, places: Sequence[int]) -> Rendered:
    selection = session.selected
    batch = _batch(session, places)
    sets_seen = plan.sets_seen and selection.may("s")
    pairs = zip(batch.uids, batch.flags, strict=True) if sets_seen else ()
    unseen = [Uid(uid) for uid, flags in pairs if not flags & SEEN]
    is_small = len(places) <= (SMALL_BATCH if plan.only_attributes else FEW_CONTENTS)
    run = session.database.run if is_small else session.run_long
    return await run(
        render_batch,
        selection.owner,
        selection.folder_id,
        selection.reader,
        plan,
        batch,
        unseen,
    )


def _learn(session: Session, selection: Selection, rendered: Rendered) -> None:
    """Take \\Seen into the view: the client is being told."""
    stored = rendered.stored
    if stored is not None and stored.changed:
        selection.learn_keywords(stored.keywords)
        selection.view.told(stored.changed)
        session.services.notifier.publish([selection.folder_id])


async def _send(session: Session, rendered: Rendered) -> None:
    """A failure within a response leaves it torn: nothing but the end of the connection is safe after it."""
    for piece in rendered.pieces:
        if isinstance(piece, Stream):
            try:
                await send_stream(session, piece)
            except ConnectionEnded:
                raise
            except Exception as error:
                reply_to(error, command="FETCH")
                session.connection.abort()
                raise ConnectionEnded from error
        else:
            session.write(piece)
    await session.connection.drain()
