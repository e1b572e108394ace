"""One client's session: a command after the other, each to its handler, until LOGOUT (RFC 9051 §3, §5.5).

Commands run strictly in the order in which they came, whatever is pipelined. What goes wrong in a handler becomes a
tagged NO in `transport.imap.replies`; nothing but BYE follows what cannot be read.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Concatenate, ParamSpec, TypeVar

from accounts.entries import Login
from accounts.mailstore.values import FolderId, MailboxId, NoSuchFolder
from transport.connection_limits import ConnectionLimits
from transport.database_threads import Connection as DatabaseConnection
from transport.database_threads import DatabaseThreads
from transport.imap.capabilities import capabilities
from transport.imap.connection import Connection, ConnectionEnded, Interrupted
from transport.imap.folder_snapshots import FolderSnapshots
from transport.imap.handlers.registry import HANDLERS
from transport.imap.incoming_memory import NO_ROOM, Account, IncomingMemory
from transport.imap.open_logins import OpenLogins
from transport.imap.progress import PROGRESS_SECONDS, InProgress
from transport.imap.replies import Reply, bad, no, reply_to
from transport.imap.selection import Selection
from transport.imap.shared_changes import SharedChanges
from transport.imap.states import State, refusal
from transport.imap.wire.commands.registry import Tagged, Unparsable, is_http, parse_command
from transport.imap.wire.modes import Modes
from transport.imap.wire.reader import (
    Event,
    Hopeless,
    LiteralWanted,
    NoRoom,
    Request,
    TooBig,
    TooLong,
)
from transport.imap.wire.responses import status_line
from transport.notifier import Notifier
from transport.turns import LONG_AT_ONCE, SHORT_AT_ONCE, OwnThreads, Turns

if TYPE_CHECKING:
    from transport.imap.watching import Watching

LOGIN_SECONDS = 60.0
AUTOLOGOUT_SECONDS = 1800.0 + 60.0  # at least 30 minutes (RFC 9051 §5.4)
SLOWEST = 1024
"""Octets a second: a large message may take longer than that over a bad line, byte by byte it may not."""
BAD_MAXIMUM = 50
"""Unreadable commands in a row before the session ends."""
BAD_MAXIMUM_BEFORE_LOGIN = 10
BY_NUMBER = frozenset(("FETCH", "STORE", "SEARCH", "COPY", "MOVE", "SORT", "THREAD", "REPLACE"))
"""Commands that take or give sequence numbers (RFC 9586 §3)."""
CHANGE_FOLDER = frozenset(
    f"{by}{name}"
    for name in ("APPEND", "COPY", "EXPUNGE", "MOVE", "REPLACE")
    for by in ("", "UID ")
)
"""Commands after which the client must hear of the selected folder, even if NOTIFY said NONE."""
FEW_MESSAGES = 100
COMMANDS_IN_A_ROW = 20
"""After so many that needed no wait, other sessions have their turn."""

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Services:
    """What all sessions of a process share."""

    database: DatabaseThreads
    notifier: Notifier
    changes: SharedChanges
    snapshots: FolderSnapshots
    hostname: str
    max_message_size: int
    login_seconds: float = LOGIN_SECONDS
    still_here_seconds: float = 120.0
    progress_seconds: float = PROGRESS_SECONDS
    short_work: Turns = field(default_factory=lambda: Turns(SHORT_AT_ONCE))
    long_work: Turns = field(default_factory=lambda: Turns(LONG_AT_ONCE))
    strangers: ConnectionLimits = field(default_factory=ConnectionLimits)
    open_logins: OpenLogins = field(default_factory=OpenLogins)
    incoming: IncomingMemory = field(default_factory=lambda: IncomingMemory(0))


@dataclass(slots=True, eq=False)
class Session:
    """The state of one session; handlers read and change it."""

    connection: Connection
    services: Services
    state: State = State.NOT_AUTHENTICATED
    login: Login | None = None
    selection: Selection | None = None
    modes: Modes = field(default_factory=Modes)
    login_failures: int = 0
    tag: bytes = b"*"  # of the command that runs
    after_reply: Callable[[], None] | None = None
    """What the running command wants done once its tagged response is written."""
    watching: "Watching | None" = None
    """What NOTIFY asked for; None until the first."""
    _changes_folder: bool = False  # the running command does
    _own_uids: set[int] = field(default_factory=set)
    _login_deadline: float = 0.0
    _bad_in_a_row: int = 0
    _in_a_row: int = 0

    @property
    def database(self) -> OwnThreads:
        """Threads for short services; only after the login."""
        return OwnThreads(self.services.database, self.services.short_work, self.owner)

    @property
    def capabilities(self) -> bytes:
        """What is advertised in this state."""
        return capabilities(self.state, self.services.max_message_size)

    @property
    def owner(self) -> MailboxId:
        """Whose mail this is; only after the login."""
        if self.login is None or self.login.mailbox_id is None:
            raise RuntimeError("no login")
        return self.login.mailbox_id

    @property
    def selected(self) -> Selection:
        """The selected folder; only in that state."""
        if self.selection is None:
            raise RuntimeError("no selection")
        return self.selection

    @property
    def condstore(self) -> bool:
        return self.modes.condstore

    @condstore.setter
    def condstore(self, on: bool) -> None:
        self.modes.condstore = on

    @property
    def qresync(self) -> bool:
        return self.modes.qresync

    @property
    def utf8(self) -> bool:
        return self.modes.utf8

    @property
    def uid_only(self) -> bool:
        return self.modes.uid_only

    @property
    def is_rev2(self) -> bool:
        return self.modes.is_rev2

    def write(self, data: bytes) -> None:
        self.connection.write(data)

    def begin(self, login: Login) -> bool:
        """The client is known now: it may append, and no longer counts as a stranger of its address.

        False, and nothing changes, when the login has too many sessions open.
        """
        if not self.services.open_logins.admit(login.account):
            return False
        self.login = login
        self.state = State.AUTHENTICATED
        self.connection.reader.append_limit = self.services.max_message_size
        self.connection.account = Account(self.services.incoming, login.account)
        self.services.strangers.release(self.connection.peer)
        return True

    def end_login(self) -> None:
        """Back to where the connection began, but for TLS (RFC 8437 §3)."""
        self.deselect()
        self.watch_nothing()
        self._release_login()
        self.modes = Modes()
        self.state = State.NOT_AUTHENTICATED
        self.connection.reader.append_limit = 0
        if not self.services.strangers.admit(self.connection.peer):
            self.connection.interrupt("[UNAVAILABLE] Too many connections")
        now = asyncio.get_running_loop().time()
        self._login_deadline = now + self.services.login_seconds

    def _release_login(self) -> None:
        """What the login counts for ends."""
        if self.connection.account is not None:
            self.connection.account.hold(0)
            self.connection.account = None
        if self.login is not None:
            self.services.open_logins.release(self.login.account)
            self.login = None

    def watch_nothing(self) -> None:
        """As before the first NOTIFY."""
        if self.watching is not None:
            self.watching.close()
            self.watching = None

    def select(self, selection: Selection) -> None:
        self.selection = selection
        self.state = State.SELECTED

        def hear() -> None:
            selection.is_stale = True
            self.connection.wake()

        selection.watch = self.services.notifier.watch(selection.owner, selection.folder_id, hear)

    def deselect(self) -> None:
        if self.selection is not None:
            self.selection.close()
            self.selection = None
        if self.state is State.SELECTED:
            self.state = State.AUTHENTICATED

    async def run_long(
        self,
        service: Callable[Concatenate[DatabaseConnection, P], T],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> T:
        """Run a long service, at most two at once for one mailbox."""
        async with self.services.long_work.turn(self.owner):
            return await self.services.database.run_long(service, *arguments, **keywords)

    async def run_for(
        self,
        messages: int,
        service: Callable[Concatenate[DatabaseConnection, P], T],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> T:
        """Run a service that changes so many messages: a few are short work."""
        if messages <= FEW_MESSAGES:
            return await self.database.run(service, *arguments, **keywords)
        return await self.run_long(service, *arguments, **keywords)

    async def refresh(self) -> None:
        """Take in what happened in the selected folder, and tell of new messages."""
        if self.selection is not None:
            await self.selection.refresh(self.services.changes)
            self.tell(expunges=False, flags=False)

    async def catch_up(self) -> None:
        """`refresh` after the command's work is done: if that fails, the work is done all the same, and the next
        command will see."""
        try:
            await self.refresh()
        except (ConnectionEnded, Interrupted):
            raise
        except NoSuchFolder:
            pass
        except Exception as error:
            reply_to(error, command="refresh")

    async def expunged(self, uids: Iterable[int], modseq: int) -> None:
        """The session's own command removed these from the selected folder, the last of them at `modseq`."""
        self.selected.view.expunge(uids, modseq)
        if (
            self.selected.view.modseq < modseq
        ):  # others' changes lie between: HIGHESTMODSEQ is to cover them
            await self.catch_up()

    def brought(self, folder_id: FolderId, uids: Iterable[int]) -> None:
        """The running command put these there: NOTIFY fetches only what others bring (RFC 5465 §5.2)."""
        if self.selection is not None and self.selection.folder_id == folder_id:
            self._own_uids.update(uids)

    def tell(self, *, expunges: bool, flags: bool = True) -> None:
        """Tell what is new in the selected folder, as far as NOTIFY has it."""
        if self.selection is None:
            return
        watching = self.watching
        if watching is not None:
            if not watching.tells_selected and not self._changes_folder:
                return
            flags = flags and watching.tells_flags
        self.write(self.selection.untagged(self.modes, expunges=expunges, flags=flags))
        if watching is not None:
            newest = self.selection.view.newest
            watching.announced(uid for uid in newest if uid not in self._own_uids)

    @property
    def has_news(self) -> bool:
        """Whether `push` may have something to tell."""
        if self.watching is not None:
            return self.watching.has_news
        return self.selection is not None and self.selection.is_stale

    async def push(self, *, expunges: bool) -> None:
        """Look, and tell, without having been asked. Raises NoSuchFolder for the selected folder."""
        if self.watching is not None:
            await self.watching.tell(expunges=expunges)
        elif self.selection is not None:
            await self.selection.refresh(self.services.changes)
            self.tell(expunges=expunges)

    async def run(self) -> None:
        """Serve until the end; the connection is closed then."""
        if not self.services.strangers.admit(self.connection.peer):
            self._bye("[UNAVAILABLE] Too many connections")
            return self.connection.close()
        now = asyncio.get_running_loop().time()
        self._login_deadline = now + self.services.login_seconds
        try:
            greeting = f"{self.services.hostname} Mailsite is ready"
            code = b"CAPABILITY " + self.capabilities
            self.write(status_line(b"*", "OK", greeting, code))
            while self.state is not State.LOGOUT:
                await self._next()
        except ConnectionEnded:
            pass
        except Interrupted as interruption:
            self._bye(str(interruption))
        except NoSuchFolder:
            self._bye("The selected folder was deleted")
        except TimeoutError:
            self._bye("Nothing was heard for too long")
        except Exception as error:
            self._bye(reply_to(error, command="session").text)
        finally:
            if self.login is None:
                self.services.strangers.release(self.connection.peer)
            self.deselect()
            self._release_login()
            self.watch_nothing()
            self.connection.close()

    async def _next(self) -> None:
        event = await self._next_event()
        match event:
            case Request(buffer):
                await self._request(buffer)
            case LiteralWanted():
                self._ask_for_literal()
            case NoRoom(tag):
                self._answer(tag or b"*", NO_ROOM)
            case TooBig(tag):
                self._answer(tag or b"*", no("The literal is too big", b"TOOBIG"))
            case TooLong(tag):
                self._count_bad(tag or b"*", bad("The command is too long"))
            case Hopeless(reason):
                self._bye(reason)
        await self._take_turns()

    async def _next_event(self) -> Event:
        """Raises TimeoutError when the client is silent, or so slow that it might as well be."""
        if self.login is None:
            async with asyncio.timeout_at(self._login_deadline):
                return await self._wait_for_event()
        reader = self.connection.reader
        while True:
            before = reader.received
            try:
                async with asyncio.timeout(AUTOLOGOUT_SECONDS):
                    return await self._wait_for_event()
            except TimeoutError:
                if reader.received - before < AUTOLOGOUT_SECONDS * SLOWEST:
                    raise

    async def _wait_for_event(self) -> Event:
        while (event := self.connection.next_event()) is None:
            if self.watching is not None and self.watching.has_news:
                await self.push(expunges=False)
            else:
                await self.connection.wait_for_input()
        return event

    def _ask_for_literal(self) -> None:
        reader, account = self.connection.reader, self.connection.account
        refusal = account.refusal_of(reader.literal_size) if account is not None else None
        if refusal is None:
            self.write(b"+ OK\r\n")
        else:
            self._answer(reader.abandon() or b"*", refusal)

    async def _take_turns(self) -> None:
        """Let a client that reads nothing wait, and other sessions go on while one pipelines without end."""
        if not self.connection.has_ended:  # what was pipelined before is still carried out
            await self.connection.drain()
        self._in_a_row += 1
        if self._in_a_row >= COMMANDS_IN_A_ROW:
            self._in_a_row = 0
            await asyncio.sleep(0)

    async def _request(self, buffer: bytes) -> None:
        if not buffer and not self._bad_in_a_row:
            return  # an empty line, as some clients send after a literal
        match parse_command(buffer, self.modes):
            case Unparsable(tag, text, condition, code):
                if is_http(buffer):
                    raise ConnectionEnded
                self._count_bad(tag, Reply(condition, text, code))
            case Tagged() as request:
                self._bad_in_a_row = 0
                await self._dispatch(request)

    async def _dispatch(self, request: Tagged) -> None:
        handler = HANDLERS.get(request.name)
        if handler is None:
            return self._count_bad(request.tag, bad("unknown command"))
        if self.state not in handler.states:
            return self._answer(request.tag, bad(refusal(self.state, handler.states)))
        if self.uid_only and request.name in BY_NUMBER:
            return self._answer(request.tag, bad("Only UIDs are enabled", b"UIDREQUIRED"))
        self.tag = request.tag
        self._changes_folder = request.name in CHANGE_FOLDER
        progress = self.services.progress_seconds
        try:
            with InProgress(self.connection, request.tag, request.name, progress):
                if handler.refreshes and not handler.answers_first:
                    await self.refresh()
                reply = await handler.run(self, request.command)
        except (ConnectionEnded, Interrupted):
            raise
        except NoSuchFolder as error:
            if handler.refreshes:
                raise  # the selected one is meant: there is nothing left to talk about
            reply = reply_to(error, command=request.name)
        except Exception as error:
            reply = reply_to(error, command=request.name)
        if handler.refreshes:
            self.tell(expunges=handler.may_expunge)
            reply = self._with_modseq(reply)
        if self.watching is not None:
            await self.watching.end_command(request.command, reply)
        self._own_uids.clear()
        self._answer(request.tag, reply)
        if self.after_reply is not None:
            self.after_reply()
            self.after_reply = None

    def _with_modseq(self, reply: Reply) -> Reply:
        """HIGHESTMODSEQ where the client would else keep a wrong one (RFC 7162 §3.2.7, §6): expunges have no modseq
        of their own, and what was told may be ahead of what waits."""
        if self.selection is None:
            return reply
        view = self.selection.view
        if not self.condstore:
            view.has_told_expunges = False
            return reply
        if not view.has_told_expunges and not view.is_ahead:
            return reply
        code = b"HIGHESTMODSEQ %d" % view.modseq_to_keep
        if view.has_told_expunges and reply.condition == "OK" and not reply.code:
            view.has_told_expunges = False
            return Reply(reply.condition, reply.text, code)
        view.has_told_expunges = False
        self.write(status_line(b"*", "OK", "Highest so far", code))
        return reply

    def _answer(self, tag: bytes, reply: Reply) -> None:
        self.write(reply.line(tag))

    def _count_bad(self, tag: bytes, reply: Reply) -> None:
        self._answer(tag, reply)
        self._bad_in_a_row += 1
        limit = BAD_MAXIMUM if self.login else BAD_MAXIMUM_BEFORE_LOGIN
        if self._bad_in_a_row >= limit:
            self._bye("Too many bad commands")

    def _bye(self, reason: str) -> None:
        if self.state is not State.LOGOUT:
            self.write(status_line(b"*", "BYE", reason))
            self.state = State.LOGOUT
