"""The open sessions of a server that logs clients in (IMAP, ManageSieve): whose login ends, and how all of them end."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from accounts.authentication import still_valid
from accounts.entries import Login
from transport.database_threads import DatabaseThreads

VALIDITY_SECONDS = 2.0
"""How often a process asks whether its logins still hold: they end within 5 s of it."""
STOP_SECONDS = 10.0
DEAF_SECONDS = 0.5
"""How long the end waits for clients that read nothing."""

logger = logging.getLogger(__name__)


class OpenConnection(Protocol):
    """`is_deaf`: the client does not read what is written. `interrupt` ends the session with these words."""

    @property
    def task(self) -> asyncio.Task[None] | None: ...

    @property
    def is_deaf(self) -> bool: ...

    def interrupt(self, words: str) -> None: ...

    def abort(self) -> None: ...


class OpenSession(Protocol):
    @property
    def connection(self) -> OpenConnection: ...

    @property
    def login(self) -> Login | None: ...


S = TypeVar("S", bound=OpenSession)


class OpenSessions(Generic[S]):
    """Of one process and protocol. All methods belong to one event loop."""

    def __init__(self, database: DatabaseThreads) -> None:
        self._database = database
        self._sessions: set[S] = set()
        self._watcher: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[S]:
        return iter(tuple(self._sessions))

    @contextmanager
    def one_more(self, session: S) -> Iterator[None]:
        """While it is open."""
        self._sessions.add(session)
        try:
            yield
        finally:
            self._sessions.discard(session)

    def watch_logins(self) -> None:
        """End, from now on, the sessions of accounts that are disabled or get a new password."""
        self._watcher = asyncio.create_task(self._watch_for_ever())

    async def end(self) -> None:
        """Say goodbye to all, and end what has not ended by itself."""
        if self._watcher is not None:
            self._watcher.cancel()
        for session in self:
            session.connection.interrupt("The server is shutting down")
        await self._wait(DEAF_SECONDS)
        for session in self:
            if session.connection.is_deaf:
                session.connection.abort()
        for task in await self._wait(STOP_SECONDS):
            task.cancel()

    async def _wait(self, seconds: float) -> set[asyncio.Task[None]]:
        """The tasks that have not ended by then."""
        tasks = {session.connection.task for session in self._sessions}
        running = {task for task in tasks if task is not None}
        if not running:
            return set()
        _, late = await asyncio.wait(running, timeout=seconds)
        return late

    async def _watch_for_ever(self) -> None:
        while True:
            await asyncio.sleep(VALIDITY_SECONDS)
            logins = {session.login for session in self._sessions if session.login is not None}
            if not logins:
                continue
            try:
                valid = await self._database.run(still_valid, logins)
            except Exception as error:
                logger.error("logins could not be looked at again: %s", error)
                continue
            for session in self:
                if session.login in logins - valid:
                    session.connection.interrupt("The login does not hold any more")
