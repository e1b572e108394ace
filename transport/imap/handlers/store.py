"""STORE and UID STORE (RFC 9051 §6.4.6; UNCHANGEDSINCE and MODIFIED: RFC 7162 §3.1.3)."""

from typing import cast

from accounts.mailstore.flagbits import keyword_bits, split_flags
from accounts.mailstore.flags import Mode, Stored
from accounts.mailstore.sharing_flags import store_flags_as
from accounts.mailstore.values import ModSeq, Uid
from transport.imap.handlers.registry import handles
from transport.imap.replies import Reply, no, ok
from transport.imap.selection import Selection, decode_flags, fetch_line
from transport.imap.session import Session
from transport.imap.states import ONLY_SELECTED
from transport.imap.wire.commands.types import Store
from transport.imap.wire.sequence import format_numbers


@handles("UID STORE", states=ONLY_SELECTED, refreshes=True)
async def uid_store(session: Session, command: Store) -> Reply:
    return await _store(session, command)


@handles("STORE", states=ONLY_SELECTED, refreshes=True, may_expunge=False)
async def store(session: Session, command: Store) -> Reply:
    return await _store(session, command)


async def _store(session: Session, command: Store) -> Reply:
    selection = session.selected
    if selection.read_only:
        return no("The folder is open read-only", b"READ-ONLY")
    places = selection.places(command.messages, by_uid=command.by_uid)
    uids = [Uid(selection.view.uids[place]) for place in places]
    flags = decode_flags(command.flags)
    if command.unchanged_since is not None:
        session.condstore = True
    if not uids:
        return ok("No such messages")
    since = command.unchanged_since
    stored = await session.run_for(
        len(uids),
        store_flags_as,
        selection.reader,
        selection.owner,
        selection.folder_id,
        uids,
        cast(Mode, command.mode),
        flags,
        None if since is None else ModSeq(since),
        known=selection.view.keywords,
    )
    if stored.changed:
        session.services.notifier.publish([selection.folder_id])
    selection.learn_keywords(stored.keywords)
    session.tell(expunges=False, flags=False)  # new keywords come before their use
    _tell(session, selection, command, stored)
    selection.view.told(stored.changed, stored.unchanged)
    return _reply(selection, command, stored, len(uids))


def _tell(session: Session, selection: Selection, command: Store, stored: Stored) -> None:
    """FETCH for each message: its flags unless .SILENT, its modseq whenever the client minds.

    .SILENT hides only what the client can work out: not what another session changed, nor a junk flag's synonyms.
    UNCHANGEDSINCE asks for the modseq of each message that passed, changed or not (RFC 7162 §3.1.3).
    """
    view, texts = selection.view, selection.flag_texts
    has_new_modseq = {uid for uid, _, _ in stored.changed} if session.condstore else set()
    if command.unchanged_since is not None:
        has_new_modseq.update(uid for uid, _, _ in stored.unchanged)
    named = named_bits(command, stored.keywords)
    with_uid = command.by_uid or session.condstore or session.is_rev2
    lines = []
    for uid, flags, modseq in sorted((*stored.changed, *stored.unchanged)):
        place = view.index(uid)
        if place is None:
            continue
        expected = expected_flags(command, view.flags[place], named)
        tells = not command.silent or flags != expected or view.is_news(uid)
        if not tells and uid not in has_new_modseq:
            continue
        items = [b"FLAGS " + texts[flags]] if tells else []
        if session.condstore:
            items.append(b"MODSEQ (%d)" % modseq)
        words = b" ".join(items)
        if with_uid:
            lines.append(fetch_line(session.modes, place + 1, uid, words))
        else:
            lines.append(b"* %d FETCH (%b)\r\n" % (place + 1, words))
    session.write(b"".join(lines))


def named_bits(command: Store, keywords: tuple[str, ...]) -> int:
    """The flags that the command names."""
    bits, names = split_flags(flag.decode("ascii") for flag in command.flags)
    return bits | keyword_bits(keywords, names)


def expected_flags(command: Store, before: int, named: int) -> int:
    """What the client takes a message's flags to be now."""
    match command.mode:
        case "add":
            return before | named
        case "remove":
            return before & ~named
    return named


def _reply(selection: Selection, command: Store, stored: Stored, asked: int) -> Reply:
    are_gone = len(stored.changed) + len(stored.unchanged) + len(stored.modified) < asked
    if stored.modified:
        numbers = [int(uid) for uid in stored.modified]
        if not command.by_uid:
            places = (selection.view.index(uid) for uid in numbers)
            numbers = [place + 1 for place in places if place is not None]
        code = b"MODIFIED " + format_numbers(numbers)
        if are_gone and not command.by_uid:
            return no("Some were changed before, some are gone", code)
        return ok("Some were changed before", code)
    if are_gone and not command.by_uid:
        return no("Some of the messages are gone", b"EXPUNGEISSUED")
    return ok("Stored")
