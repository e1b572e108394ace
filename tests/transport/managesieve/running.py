"""A real ManageSieve server for tests: on a random port of loopback, with an event loop in a thread of its own."""

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import uvloop

from tests.certificates import Certificate
from transport.database_threads import DatabaseThreads
from transport.listeners import bind
from transport.managesieve.server import ManageSieveServer

T = TypeVar("T")


class RunningServer:
    """One process's worth of ManageSieve."""

    def __init__(self, certificate: Certificate, **services: Any) -> None:
        self._certificate = certificate
        self._services = services
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.listener = bind("127.0.0.1", 0)
        self.port: int = self.listener.getsockname()[1]
        self.tls = ssl.create_default_context(cafile=str(certificate.ca_file))
        self.run(self._start())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    async def _start(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate.cert_file, self._certificate.key_file)
        self.database = DatabaseThreads()
        self.server = ManageSieveServer(self.database)
        self.server.services = replace(self.server.services, **self._services)
        await self.server.start([self.listener], context)

    async def _stop(self) -> None:
        await self.server.stop()
        self.database.close()

    def stop(self) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
