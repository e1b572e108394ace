"""One client's session: a command after the other, each to its handler, until LOGOUT (RFC 9051 §3, §5.5).

Commands run strictly in the order in which they came, whatever is pipelined. What goes wrong in a handler becomes a
tagged NO in `transport.imap.replies`; nothing but BYE follows what cannot be read.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Concatenate, ParamSpec, TypeVar

from accounts.entries import Login
from accounts.mailstore.values import MailboxId, NoSuchFolder
from transport.connection_limits import ConnectionLimits
from transport.database_threads import Connection as DatabaseConnection
from transport.database_threads import DatabaseThreads
from transport.imap.capabilities import capabilities
from transport.imap.connection import Connection, ConnectionEnded, Interrupted
from transport.imap.folder_snapshots import FolderSnapshots
from transport.imap.handlers.registry import HANDLERS
from transport.imap.long_work import LongWork
from transport.imap.progress import PROGRESS_SECONDS, InProgress
from transport.imap.replies import Reply, bad, no, reply_to
from transport.imap.selection import Selection
from transport.imap.shared_changes import SharedChanges
from transport.imap.states import State, refusal
from transport.imap.wire.commands.registry import Tagged, Unparsable, is_http, parse_command
from transport.imap.wire.modes import Modes
from transport.imap.wire.reader import Hopeless, LiteralWanted, Request, TooBig, TooLong
from transport.imap.wire.responses import status_line
from transport.notifier import Notifier

LOGIN_SECONDS = 60.0
AUTOLOGOUT_SECONDS = 1800.0 + 60.0  # at least 30 minutes (RFC 9051 §5.4)
BAD_MAXIMUM = 50
"""Unreadable commands in a row before the session ends."""
BAD_MAXIMUM_BEFORE_LOGIN = 10
BY_NUMBER = frozenset(("FETCH", "STORE", "SEARCH", "COPY", "MOVE", "SORT", "THREAD", "REPLACE"))
"""Commands that take or give sequence numbers (RFC 9586 §3)."""
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
    long_work: LongWork = field(default_factory=LongWork)
    strangers: ConnectionLimits = field(default_factory=ConnectionLimits)


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
    _login_deadline: float = 0.0
    _bad_in_a_row: int = 0
    _in_a_row: int = 0

    @property
    def database(self) -> DatabaseThreads:
        return self.services.database

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

    def begin(self, login: Login) -> None:
        """The client is known now: it may append, and no longer counts as a stranger of its address."""
        self.login = login
        self.state = State.AUTHENTICATED
        self.connection.reader.append_limit = self.services.max_message_size
        self.services.strangers.release(self.connection.peer)

    def end_login(self) -> None:
        """Back to where the connection began, but for TLS (RFC 8437 §3)."""
        self.deselect()
        self.login = None
        self.modes = Modes()
        self.state = State.NOT_AUTHENTICATED
        self.connection.reader.append_limit = 0
        if not self.services.strangers.admit(self.connection.peer):
            self.connection.interrupt("[UNAVAILABLE] Too many connections")
        now = asyncio.get_running_loop().time()
        self._login_deadline = now + self.services.login_seconds

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
            return await self.database.run_long(service, *arguments, **keywords)

    async def refresh(self) -> None:
        """Take in what happened in the selected folder, and tell of new messages."""
        if self.selection is not None:
            await self.selection.refresh(self.services.changes)
            self.tell(expunges=False, flags=False)

    async def expunged(self, uids: Iterable[int], modseq: int) -> None:
        """The session's own command removed these from the selected folder, the last of them at `modseq`."""
        self.selected.view.expunge(uids, modseq)
        if (
            self.selected.view.modseq < modseq
        ):  # others' changes came between: HIGHESTMODSEQ is to cover them
            await self.refresh()

    def tell(self, *, expunges: bool, flags: bool = True) -> None:
        if self.selection is not None:
            self.write(self.selection.untagged(self.modes, expunges=expunges, flags=flags))

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
            self.connection.close()

    async def _next(self) -> None:
        now = asyncio.get_running_loop().time()
        deadline = now + AUTOLOGOUT_SECONDS if self.login else self._login_deadline
        async with asyncio.timeout_at(deadline):
            event = await self.connection.next_event()
        match event:
            case Request(buffer):
                await self._request(buffer)
            case LiteralWanted():
                self.write(b"+ OK\r\n")
            case TooBig(tag):
                self._answer(tag or b"*", no("The literal is too big", b"TOOBIG"))
            case TooLong(tag):
                self._count_bad(tag or b"*", bad("The command is too long"))
            case Hopeless(reason):
                self._bye(reason)
        await self._take_turns()

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
        progress = self.services.progress_seconds
        try:
            with InProgress(self.connection, request.tag, request.name, progress):
                if handler.refreshes:
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
        self._answer(request.tag, reply)
        if self.after_reply is not None:
            self.after_reply()
            self.after_reply = None

    def _with_modseq(self, reply: Reply) -> Reply:
        """HIGHESTMODSEQ where the client would else keep a wrong one (RFC 7162 §3.2.7, §6): expunges have no modseq
        of their own, and what was told may be ahead of what waits."""
        if self.selection is None or not self.condstore:
            return reply
        view = self.selection.view
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
