"""A session's commands within TLS, one after the other, each to its handler, until LOGOUT (RFC 5804 §2).

What goes wrong in a handler becomes a NO in `transport.managesieve.replies`; nothing but BYE follows what cannot be read.
"""

import asyncio

from transport.managesieve.capabilities import capabilities
from transport.managesieve.connection import ConnectionEnded, Interrupted
from transport.managesieve.handlers.registry import HANDLERS, When
from transport.managesieve.replies import NO_ROOM, TOO_BIG, Reply, no, ok, reply_to
from transport.managesieve.session import Session
from transport.managesieve.wire.commands import Command, SyntaxBroken, is_http, parse_command
from transport.managesieve.wire.reader import Hopeless, Line, TooBig

BAD_MAXIMUM = 10
"""Unreadable commands in a row before the session ends."""
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
        session = self._session
        try:
            if not session.begin():
                raise Interrupted("Too many connections")
            session.write(capabilities() + ok(f"{session.services.hostname} is ready").line())
            while not session.has_logged_out:
                await self._next()
        except ConnectionEnded:
            pass
        except Interrupted as interruption:
            self._bye(str(interruption))
        except Exception as error:
            self._bye(reply_to(error, command="session").text)
        finally:
            session.end()
            session.connection.close()

    async def _next(self) -> None:
        match await self._session.next_event():
            case Line(buffer):
                await self._request(buffer)
            case TooBig(had_room):
                self._answer(TOO_BIG if had_room else NO_ROOM)
            case Hopeless(reason):
                raise Interrupted(reason)
        await self._session.connection.drain()
        self._in_a_row += 1
        if self._in_a_row >= COMMANDS_IN_A_ROW:
            self._in_a_row = 0
            await asyncio.sleep(0)

    async def _request(self, buffer: bytes) -> None:
        if not buffer and not self._bad_in_a_row:
            return  # an empty line, as some clients send after a literal
        try:
            command = parse_command(buffer)
        except SyntaxBroken as error:
            if is_http(buffer):
                raise ConnectionEnded from None
            self._answer(no(str(error)))
            self._bad_in_a_row += 1
            if self._bad_in_a_row >= BAD_MAXIMUM:
                raise Interrupted("Too many bad commands") from None
            return
        self._bad_in_a_row = 0
        self._answer(await self._reply(command))

    async def _reply(self, command: Command) -> Reply:
        handler = HANDLERS[command.name]
        if handler.when is When.LOGGED_IN and self._session.login is None:
            return no("Log in first")
        if handler.when is When.BEFORE_LOGIN and self._session.login is not None:
            return no("You are logged in already")
        try:
            return await handler.run(self._session, command)
        except (ConnectionEnded, Interrupted):
            raise
        except Exception as error:
            return reply_to(error, command=command.name)

    def _answer(self, reply: Reply) -> None:
        self._session.write(reply.line())

    def _bye(self, reason: str) -> None:
        self._answer(Reply("BYE", reason))
