"""The IMAP server of one process: sockets, sessions, and what watches over them (RFC 8314: TLS from the first byte)."""

import ssl
from collections.abc import Sequence
from socket import socket

from django.conf import settings

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
from transport.open_sessions import OpenSessions
from transport.questions import Questions
from transport.tls_server import TlsServer

SESSIONS_MAXIMUM = 10_000
HANDSHAKE_SECONDS = 20.0
TLS_SHUTDOWN_SECONDS = 5.0

load_modules("transport.imap.wire.commands", "transport.imap.handlers")


class ImapServer:
    """Accepts on given sockets until `stop`."""

    def __init__(self, database: DatabaseThreads, notifier: Notifier) -> None:
        questions = Questions(database)
        changes = SharedChanges(database, questions)
        self.services = Services(
            database,
            questions,
            notifier,
            changes,
            FolderSnapshots(database, questions, changes),
            settings.MAIL_HOSTNAME,
            settings.MAX_MESSAGE_SIZE,
            incoming=IncomingMemory(settings.MAX_MESSAGE_SIZE),
        )
        self.sessions: OpenSessions[Session] = OpenSessions(database)
        self._listening: TlsServer | None = None

    async def start(self, sockets: Sequence[socket], tls: ssl.SSLContext) -> None:
        self._listening = TlsServer(
            sockets,
            tls,
            lambda: Connection(self._serve),
            handshake_seconds=HANDSHAKE_SECONDS,
            shutdown_seconds=TLS_SHUTDOWN_SECONDS,
        )
        self.sessions.watch_logins()

    async def stop(self) -> None:
        """Accept no more, and end all sessions."""
        if self._listening is not None:
            self._listening.close()
        await self.sessions.end()
        self.services.questions.close()

    async def _serve(self, connection: Connection) -> None:
        if len(self.sessions) >= SESSIONS_MAXIMUM:
            connection.write(b"* BYE [UNAVAILABLE] Too many connections\r\n")
            connection.close()
            return
        session = Session(connection, self.services)
        with self.sessions.one_more(session):
            await Serving(session).run()
