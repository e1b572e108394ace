"""FETCH and UID FETCH (RFC 9051 §6.4.5; CHANGEDSINCE: RFC 7162 §3.1.4)."""

import asyncio

from transport.imap.connection import ConnectionEnded
from transport.imap.fetching import FROM_VIEW, VIEW_BATCH, Plan, make_plan, send_batch, view_lines
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, ok, reply_to
from transport.imap.resync import vanished_since
from transport.imap.selection import Selection
from transport.imap.session import Session
from transport.imap.states import ONLY_SELECTED
from transport.imap.wire.commands.types import Fetch
from transport.imap.wire.fetch_items import Attribute


@handles("UID FETCH", states=ONLY_SELECTED, refreshes=True)
async def uid_fetch(session: Session, command: Fetch) -> Reply:
    return await _fetch(session, command)


@handles("FETCH", states=ONLY_SELECTED, refreshes=True, may_expunge=False)
async def fetch(session: Session, command: Fetch) -> Reply:
    return await _fetch(session, command)


async def _fetch(session: Session, command: Fetch) -> Reply:
    selection = session.selected
    asks_modseq = command.changed_since is not None or Attribute(b"MODSEQ") in command.items
    session.condstore = session.condstore or asks_modseq
    places = selection.places(command.messages, by_uid=command.by_uid)
    if command.vanished and command.changed_since is not None:
        session.write(await vanished_since(session, command.messages, command.changed_since))
    if command.changed_since is not None:
        modseqs, since = selection.view.modseqs, command.changed_since
        places = [place for place in places if modseqs[place] > since]
    plan = make_plan(command.items, by_uid=command.by_uid, modseq=command.changed_since is not None)
    names = {item.name for item in plan.items if isinstance(item, Attribute)}
    if b"FLAGS" in names and (b"MODSEQ" in names or not session.condstore):
        selection.view.knows(selection.view.uids[place] for place in places)
    if all(isinstance(item, Attribute) and item.name in FROM_VIEW for item in plan.items):
        await _send_from_view(session, selection, plan, places)
        return ok("Fetched")
    places = [p for p in places if not selection.view.is_gone(selection.view.uids[p])]
    found = 0
    for start in range(0, len(places), plan.batch):
        found += await _send_batch(session, selection, plan, places[start : start + plan.batch])
        await session.connection.drain()
    if found < len(places):
        return ok("Some of the messages are gone", b"EXPUNGEISSUED")
    return ok("Fetched")


async def _send_batch(session: Session, selection: Selection, plan: Plan, places: list[int]) -> int:
    """A failure within a response leaves it torn: nothing but the end of the connection is safe after it."""
    before = session.connection.is_between_lines
    try:
        return await send_batch(session, selection, plan, places)
    except ConnectionEnded:
        raise
    except Exception as error:
        if before and not session.connection.is_between_lines:
            reply_to(error, command="FETCH")
            session.connection.abort()
            raise ConnectionEnded from error
        raise


async def _send_from_view(
    session: Session, selection: Selection, plan: Plan, places: list[int]
) -> None:
    for start in range(0, len(places), VIEW_BATCH):
        session.write(view_lines(selection, plan, places[start : start + VIEW_BATCH]))
        await session.connection.drain()
        await asyncio.sleep(0)  # others have their turn
