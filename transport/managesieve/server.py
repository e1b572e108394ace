"""The ManageSieve server of one process: sockets, sessions, and what watches over them (RFC 5804)."""

import ssl
from collections.abc import Sequence
from socket import socket

from django.conf import settings

from transport.database_threads import DatabaseThreads
from transport.managesieve.clear import ClearPhase
from transport.managesieve.connection import Connection
from transport.managesieve.handlers import about, login, putting, scripts  # noqa: F401  they register
from transport.managesieve.serving import Serving
from transport.managesieve.session import Services, Session
from transport.open_sessions import OpenSessions
from transport.tls_server import TlsServer

SESSIONS_MAXIMUM = 2000
HANDSHAKE_SECONDS = 20.0
TLS_SHUTDOWN_SECONDS = 5.0


class ManageSieveServer:
    """Accepts on given sockets until `stop`."""

    def __init__(self, database: DatabaseThreads) -> None:
        self.services = Services(database, settings.MAIL_HOSTNAME)
        self.sessions: OpenSessions[Session] = OpenSessions(database)
        self._listening: TlsServer | None = None

    async def start(self, sockets: Sequence[socket], tls: ssl.SSLContext) -> None:
        self._listening = TlsServer(
            sockets,
            tls,
            lambda: Connection(self._serve),
            handshake_seconds=HANDSHAKE_SECONDS,
            shutdown_seconds=TLS_SHUTDOWN_SECONDS,
            begin=ClearPhase,
        )
        self.sessions.watch_logins()

    async def stop(self) -> None:
        """Accept no more, and end all sessions."""
        if self._listening is not None:
            self._listening.close()
        await self.sessions.end()

    async def _serve(self, connection: Connection) -> None:
        if len(self.sessions) >= SESSIONS_MAXIMUM:
            connection.write(b'BYE (TRYLATER) "Too many connections"\r\n')
            connection.close()
            return
        session = Session(connection, self.services)
        with self.sessions.one_more(session):
            await Serving(session).run()
