"""A session's commands, one after the other, each to its handler, until LOGOUT (RFC 9051 §5.5).

They run strictly in the order in which they came, whatever is pipelined. What goes wrong in a handler becomes a
tagged NO in `transport.imap.replies`; nothing but BYE follows what cannot be read.
"""

import asyncio

from accounts.mailstore.values import NoSuchFolder
from transport.imap.connection import ConnectionEnded, Interrupted
from transport.imap.handlers.registry import HANDLERS
from transport.imap.incoming_memory import NO_ROOM
from transport.imap.progress import InProgress
from transport.imap.replies import Reply, bad, no, reply_to
from transport.imap.session import Session
from transport.imap.states import State, refusal
from transport.imap.wire.commands.registry import Tagged, Unparsable, is_http, parse_command
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
COMMANDS_IN_A_ROW = 20
"""After so many that needed no wait, other sessions have their turn."""


class Serving:
    """Serves one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._bad_in_a_row = 0
        self._in_a_row = 0

    async def run(self) -> None:
        """Serve until the end; the connection is closed then."""
        if not self._session.join_strangers():
            self._bye("[UNAVAILABLE] Too many connections")
            return self._session.connection.close()
        now = asyncio.get_running_loop().time()
        self._session.login_deadline = now + self._session.services.login_seconds
        try:
            greeting = f"{self._session.services.hostname} Mailsite is ready"
            code = b"CAPABILITY " + self._session.capabilities
            self._session.write(status_line(b"*", "OK", greeting, code))
            while self._session.state is not State.LOGOUT:
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
            self._session.leave_strangers()
            self._session.deselect()
            self._session.release_login()
            self._session.watch_nothing()
            self._session.connection.close()

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
        if self._session.login is None:
            return await self._wait_for_event(self._session.login_deadline)
        reader, loop = self._session.connection.reader, asyncio.get_running_loop()
        while True:
            before = reader.received
            try:
                return await self._wait_for_event(loop.time() + AUTOLOGOUT_SECONDS)
            except TimeoutError:
                if reader.received - before < AUTOLOGOUT_SECONDS * SLOWEST:
                    raise

    async def _wait_for_event(self, deadline: float) -> Event:
        while (event := self._session.connection.next_event()) is None:
            if self._session.watching is not None and self._session.watching.has_news:
                await self._session.push(expunges=False)
            else:
                await self._session.connection.wait_for_input(deadline)
        return event

    def _ask_for_literal(self) -> None:
        reader, account = self._session.connection.reader, self._session.connection.account
        refusal = account.refusal_of(reader.literal_size) if account is not None else None
        if refusal is None:
            self._session.write(b"+ OK\r\n")
        else:
            self._answer(reader.abandon() or b"*", refusal)

    async def _take_turns(self) -> None:
        """Let a client that reads nothing wait, and other sessions go on while one pipelines without end."""
        if not self._session.connection.has_ended:  # what was pipelined before is still carried out
            await self._session.connection.drain()
        self._in_a_row += 1
        if self._in_a_row >= COMMANDS_IN_A_ROW:
            self._in_a_row = 0
            await asyncio.sleep(0)

    async def _request(self, buffer: bytes) -> None:
        if not buffer and not self._bad_in_a_row:
            return  # an empty line, as some clients send after a literal
        match parse_command(buffer, self._session.modes):
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
        if self._session.state not in handler.states:
            return self._answer(request.tag, bad(refusal(self._session.state, handler.states)))
        if self._session.uid_only and request.name in BY_NUMBER:
            return self._answer(request.tag, bad("Only UIDs are enabled", b"UIDREQUIRED"))
        self._session.tag = request.tag
        self._session.changes_folder = request.name in CHANGE_FOLDER
        progress = self._session.services.progress_seconds
        try:
            with InProgress(self._session.connection, request.tag, request.name, progress):
                if handler.refreshes and not handler.answers_first:
                    await self._session.refresh()
                reply = await handler.run(self._session, request.command)
        except (ConnectionEnded, Interrupted):
            raise
        except NoSuchFolder as error:
            if handler.refreshes:
                raise  # the selected one is meant: there is nothing left to talk about
            reply = reply_to(error, command=request.name)
        except Exception as error:
            reply = reply_to(error, command=request.name)
        if handler.refreshes:
            self._session.tell(expunges=handler.may_expunge)
            reply = self._session.with_modseq(reply)
        if self._session.watching is not None:
            await self._session.watching.end_command(request.command, reply)
        self._session.own_uids.clear()
        self._answer(request.tag, reply)
        if self._session.after_reply is not None:
            self._session.after_reply()
            self._session.after_reply = None

    def _answer(self, tag: bytes, reply: Reply) -> None:
        self._session.write(reply.line(tag))

    def _count_bad(self, tag: bytes, reply: Reply) -> None:
        self._answer(tag, reply)
        self._bad_in_a_row += 1
        limit = BAD_MAXIMUM if self._session.login else BAD_MAXIMUM_BEFORE_LOGIN
        if self._bad_in_a_row >= limit:
            self._bye("Too many bad commands")

    def _bye(self, reason: str) -> None:
        if self._session.state is not State.LOGOUT:
            self._session.write(status_line(b"*", "BYE", reason))
            self._session.state = State.LOGOUT
