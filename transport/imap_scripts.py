"""Runs the scripts that follow IMAP commands: APPEND, COPY and MOVE into a folder, changes of flags (imapsieve, RFC 6785).

They run after the command, on a worker, by the mailbox's journal of events: no command waits for a script, and what a crash
interrupts is taken up again. What a script does runs no further script. One transaction a message: what the script wants
and how far we have come are written together.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

import psycopg

from accounts.addresses import AddressSyntaxError, parse_address
from accounts.entries import MailboxFacts
from accounts.journal.imap_events import ImapEvent, imap_events
from accounts.mailstore.flags import Mode, store_flags
from accounts.mailstore.quota import quota_of
from accounts.mailstore.stored_messages import StoredMessage, read_message
from accounts.mailstore.values import FolderId, MailboxId, MessageId, NoSuchFolder, TooManyKeywords
from routing.decisions import Filtered, Plan
from routing.envelope import Client, Envelope, Recipient
from routing.filtering.deciding import decide, environment_of
from routing.filtering.imap_events import Cursor, due, move_on, script_name
from routing.scripts.standing import StandingScript, StandingScripts, named_script
from routing.sieve.host import ScriptEnvelope
from routing.sieve.message import Message
from routing.verdict_fields import stored_verdict
from transport.carrying import Carried, carry_out
from transport.consignments import Consignment
from transport.database_threads import Connection
from transport.smtp.trace_fields import new_trace_id

MAILBOXES_A_RUN = 200
EVENTS_A_RUN = 200
CAUSE = "imapsieve"
NOBODY = Client("", "", "")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Followed:
    """What to announce."""

    folders: tuple[FolderId, ...] = ()
    next_hops: tuple[str, ...] = ()


class _Overtaken(Exception):
    """Another worker has seen to this message."""


def follow_events(db: Connection) -> Followed:
    """See to what waits, as far as one run goes; `db` is in autocommit. A mailbox that fails waits for the next run."""
    folders: list[FolderId] = []
    hops: list[str] = []
    for cursor in due(db, MAILBOXES_A_RUN):
        try:
            for followed in _follow_mailbox(db, cursor):
                folders += followed.folders
                hops += followed.next_hops
        except _Overtaken:
            continue
        except (psycopg.Error, OSError):
            log.exception("the scripts of mailbox %s could not follow its events", cursor.mailbox)
            if db.closed:
                raise
    return Followed(tuple(dict.fromkeys(folders)), tuple(dict.fromkeys(hops)))


def _follow_mailbox(db: Connection, cursor: Cursor) -> Iterable[Followed]:
    scripts: dict[FolderId, StandingScript | None] = {}
    for event in imap_events(db, cursor.mailbox, cursor.event, EVENTS_A_RUN):
        if event.folder not in scripts:
            scripts[event.folder] = _script(db, cursor.mailbox, event.folder)
        script = scripts[event.folder]
        first = cursor.done if event.id == cursor.event else 0
        if event.cause is not None and script is not None:
            for number, message in enumerate(event.messages[first:], first + 1):
                yield _follow(db, cursor, event, script, message, number)
                cursor = replace(cursor, event=event.id, done=number)
        if not move_on(db, cursor, event.id + 1, 0):
            raise _Overtaken
        cursor = replace(cursor, event=event.id + 1, done=0)


def _script(db: Connection, mailbox: MailboxId, folder: FolderId) -> StandingScript | None:
    name = script_name(db, mailbox, folder)
    return named_script(db, mailbox, name) if name else None


def _follow(
    db: Connection,
    cursor: Cursor,
    event: ImapEvent,
    script: StandingScript,
    message: MessageId,
    number: int,
) -> Followed:
    """One message: run the script, and write what it wants. Raises _Overtaken."""
    try:
        owner = cursor.mailbox
        stored = read_message(db, owner, event.folder, message)
        filtered = _decide(db, owner, event, script, stored) if stored is not None else None
        with db.transaction():
            followed = Followed()
            if stored is not None and filtered is not None:
                followed = _carry(db, owner, event, stored, filtered)
            if not move_on(db, cursor, event.id, number):
                raise _Overtaken
            return followed
    except (_Overtaken, psycopg.OperationalError, psycopg.InterfaceError, OSError):
        raise
    except Exception:  # an error of ours, or of what is stored: the messages after it are not to wait for its repair
        log.exception("message %s of mailbox %s is left as it is", message, cursor.mailbox)
        if not move_on(db, cursor, event.id, number):
            raise _Overtaken from None
        return Followed()


def _decide(
    db: Connection,
    owner: MailboxId,
    event: ImapEvent,
    script: StandingScript,
    stored: StoredMessage,
) -> Filtered | None:
    address = quota_of(db, owner).address
    try:
        recipient = Recipient(parse_address(address))
    except (
        AddressSyntaxError
    ):  # a mailbox that has outlived its user: nobody asks for scripts any more
        return None
    verdict = stored_verdict(stored.prefix)
    environment = (
        dict(environment_of(NOBODY))
        | dict(verdict.scores)
        | {
            "location": "MS",
            "phase": "post",
            "imap.user": address,
            "imap.email": address,
            "imap.cause": event.cause or "",
            "imap.mailbox": stored.folder_name,
            "imap.changedflags": " ".join(event.flags),
            "imap.flags": " ".join(stored.flags),  # not of the RFC: what hasflag sees
        }
    )
    return decide(
        db,
        StandingScripts((), (), {owner: script}),
        MailboxFacts(owner, address, is_full=False),
        recipient,
        Message(stored.prefix + stored.content),
        ScriptEnvelope(address, address),
        environment,
        verdict,
        stored_flags=stored.flags,
    )


def _carry(
    db: Connection, owner: MailboxId, event: ImapEvent, stored: StoredMessage, filtered: Filtered
) -> Followed:
    """Copies and mails first, as they lock blobs; then the message's own flags."""
    sender = filtered.recipient.address
    carried = carry_out(
        db,
        Consignment(
            trace_id=new_trace_id(),
            client=NOBODY,
            envelope=Envelope(sender, (filtered.recipient,)),
            plan=Plan((), (), (), (filtered,)),
            content=stored.content,
            received=stored.prefix,
            cause=CAUSE,
            sign_as=sender.domain,
        ),
    )
    if isinstance(carried, Carried) and owner in carried.kept:
        filtered = replace(filtered, stays=True)
    is_changed = _set_flags(db, owner, event.folder, stored, filtered)
    folders = (event.folder,) if is_changed else ()
    if isinstance(carried, Carried):
        return Followed((*folders, *carried.folders), carried.next_hops)
    log.warning("mailbox %s has no room for what its script files", owner)
    return Followed(folders)


def _set_flags(
    db: Connection,
    owner: MailboxId,
    folder: FolderId,
    stored: StoredMessage,
    filtered: Filtered,
) -> bool:
    """Whether they are others now. A message that does not stay is marked \\Deleted (§2.2.4), and expunged by the user."""
    mode: Mode = "add"
    flags: tuple[str, ...] = ("\\Deleted",)
    if filtered.stays:
        mode, flags = "replace", filtered.flags
        if {one.lower() for one in flags} == {one.lower() for one in stored.flags}:
            return False
    try:
        store_flags(db, owner, folder, [stored.uid], mode, flags, cause=CAUSE)
    except (NoSuchFolder, TooManyKeywords):
        return False
    return True
