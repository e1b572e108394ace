"""The IMAP server of one process: sockets, sessions, and what watches over them (RFC 8314: TLS from the first byte)."""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from socket import socket

from django.conf import settings

from accounts.authentication import still_valid
from transport.database_threads import DatabaseThreads
from transport.imap.connection import Connection
from transport.imap.folder_snapshots import FolderSnapshots
from transport.imap.handlers.registry import load_modules
from transport.imap.incoming_memory import IncomingMemory
from transport.imap.services import Services
from transport.imap.serving import Serving
from transport.imap.session import Session
from transport.imap.shared_changes import SharedChanges
from transport.notifier import Notifier
from transport.questions import Questions
from transport.tls_server import TlsServer

SESSIONS_MAXIMUM = 10_000
HANDSHAKE_SECONDS = 20.0
TLS_SHUTDOWN_SECONDS = 5.0
VALIDITY_SECONDS = 2.0
"""How often a process asks whether its logins still hold: they end within 5 s of it."""
STOP_SECONDS = 10.0
DEAF_SECONDS = 0.5
"""How long the end waits for clients that read nothing."""

logger = logging.getLogger(__name__)

load_modules("transport.imap.wire.commands", "transport.imap.handlers")


class ImapServer:
    """Accepts on given sockets until `stop`."""

    def __init__(self, database: DatabaseThreads, notifier: Notifier) -> None:
        questions = Questions(database)
        self.services = Services(
            database,
            questions,
            notifier,
            SharedChanges(database, questions),
            FolderSnapshots(database),
            settings.MAIL_HOSTNAME,
            settings.MAX_MESSAGE_SIZE,
            incoming=IncomingMemory(settings.MAX_MESSAGE_SIZE),
        )
        self.sessions: set[Session] = set()
        self._listening: TlsServer | None = None
        self._watcher: asyncio.Task[None] | None = None

    async def start(self, sockets: Sequence[socket], tls: ssl.SSLContext) -> None:
        self._listening = TlsServer(
            sockets,
            tls,
            lambda: Connection(self._serve),
            handshake_seconds=HANDSHAKE_SECONDS,
            shutdown_seconds=TLS_SHUTDOWN_SECONDS,
        )
        self._watcher = asyncio.create_task(self._watch_logins())

    async def stop(self) -> None:
        """Accept no more, say BYE to all, and end what has not ended by itself."""
        if self._listening is not None:
            self._listening.close()
        if self._watcher is not None:
            self._watcher.cancel()
        for session in tuple(self.sessions):
            session.connection.interrupt("The server is shutting down")
        await self._wait_for_sessions(DEAF_SECONDS)
        for session in tuple(self.sessions):
            if session.connection.is_deaf:
                session.connection.abort()
        for task in await self._wait_for_sessions(STOP_SECONDS):
            task.cancel()
        self.services.questions.close()

    async def _wait_for_sessions(self, seconds: float) -> set[asyncio.Task[None]]:
        """Those that have not ended by then."""
        tasks = {session.connection.task for session in self.sessions}
        running = {task for task in tasks if task is not None}
        if not running:
            return set()
        _, late = await asyncio.wait(running, timeout=seconds)
        return late

    async def _serve(self, connection: Connection) -> None:
        if len(self.sessions) >= SESSIONS_MAXIMUM:
            connection.write(b"* BYE [UNAVAILABLE] Too many connections\r\n")
            connection.close()
            return
        session = Session(connection, self.services)
        self.sessions.add(session)
        try:
            await Serving(session).run()
        finally:
            self.sessions.discard(session)

    async def _watch_logins(self) -> None:
        """End the sessions of accounts that were disabled or have a new password."""
        while True:
            await asyncio.sleep(VALIDITY_SECONDS)
            logins = {session.login for session in self.sessions if session.login is not None}
            if not logins:
                continue
            try:
                valid = await self.services.database.run(still_valid, logins)
            except Exception as error:
                logger.error("logins could not be looked at again: %s", error)
                continue
            for session in tuple(self.sessions):
                if session.login in logins - valid:
                    session.connection.interrupt("The login does not hold any more")
