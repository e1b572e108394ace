"""The SMTP listeners of one process: sockets in, connections out."""

import asyncio
import socket
from collections.abc import Mapping

from transport.smtp.server import SmtpConnection
from transport.smtp.service import Port, SmtpService

SMTP = Port("smtp", is_submission=False)
SUBMISSION = Port("submission", is_submission=True)
SUBMISSIONS = Port("submissions", is_submission=True, is_tls=True)
PORTS = (SMTP, SUBMISSION, SUBMISSIONS)

TLS_SECONDS = 30.0


async def listen(
    service: SmtpService, sockets: Mapping[Port, list[socket.socket]]
) -> list[asyncio.Server]:
    """Accept on every socket from now on; close the servers to stop."""
    loop = asyncio.get_running_loop()
    return [
        await loop.create_server(
            lambda port=port: SmtpConnection(service, port),
            sock=listener,
            ssl=service.tls_context if port.is_tls else None,
            ssl_handshake_timeout=TLS_SECONDS if port.is_tls else None,
        )
        for port, listeners in sockets.items()
        for listener in listeners
    ]


async def serve_until(
    stop: asyncio.Event, service: SmtpService, sockets: Mapping[Port, list[socket.socket]]
) -> None:
    """Serve until `stop` is set; then accept no more and end the connections in order."""
    service.open()
    servers = await listen(service, sockets)
    try:
        await stop.wait()
    finally:
        for server in servers:
            server.close()
        await service.close()
