"""FETCH and UID FETCH (RFC 9051 §6.4.5; CHANGEDSINCE, VANISHED: RFC 7162 §3.1.4, §3.2.6; PARTIAL: RFC 9394 §3.3)."""

from transport.imap.fetch_plan import FROM_VIEW, make_plan
from transport.imap.fetching import send_from_view, send_messages
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, no, ok
from transport.imap.resync import vanished_since
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
    view = session.selected.view
    asks_modseq = command.changed_since is not None or Attribute(b"MODSEQ") in command.items
    session.condstore = session.condstore or asks_modseq
    if command.vanished and command.changed_since is not None:
        session.write(await vanished_since(session, command.messages, command.changed_since))
    places = session.selected.places(command.messages, by_uid=command.by_uid)
    if command.partial is not None:
        places = list(command.partial.of(places))
    if command.changed_since is not None:
        modseqs, since = view.modseqs, command.changed_since
        places = [place for place in places if modseqs[place] > since]
    is_changed_since = command.changed_since is not None
    plan = make_plan(command.items, session.modes, by_uid=command.by_uid, modseq=is_changed_since)
    names = {item.name for item in plan.items if isinstance(item, Attribute)}
    if b"FLAGS" in names and (b"MODSEQ" in names or not session.condstore):
        view.knows(view.uids[place] for place in places)
    if plan.only_attributes and names <= FROM_VIEW:
        await send_from_view(session, plan, places)
        return ok("Fetched")
    there = [place for place in places if not view.is_gone(view.uids[place])]
    sent = await send_messages(session, plan, there)
    if sent.unknown_encoding:
        return no("A part's transfer encoding is not known", b"UNKNOWN-CTE")
    if sent.found < len(places):
        return ok("Some of the messages are gone", b"EXPUNGEISSUED")
    return ok("Fetched")
