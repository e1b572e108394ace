"""A proxy over TLS between a real client and a server, which records and judges what passes."""

import asyncio
import contextlib
import ssl
import threading

from tests.certificates import Certificate
from tests.transport.imap.conversation import Conversation

CHUNK = 1 << 16
STOP_SECONDS = 10


class Recorder:
    """Clients connect to `port`; each connection is a Conversation."""

    def __init__(self, certificate: Certificate, host: str, server_port: int) -> None:
        self.conversations: list[Conversation] = []
        self._failures: list[AssertionError] = []
        self._target = (host, server_port)
        self._certificate = certificate
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _listen(self) -> asyncio.Server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._certificate.cert_file, self._certificate.key_file)
        self._tls = ssl.create_default_context()
        self._tls.check_hostname = False
        self._tls.verify_mode = ssl.CERT_NONE
        return await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = Conversation()
        self.conversations.append(conversation)
        there_reader, there_writer = await asyncio.open_connection(*self._target, ssl=self._tls)

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            said = conversation.client_said if source is reader else conversation.server_said
            with contextlib.suppress(OSError):  # a client may hang up without a word
                while data := await source.read(CHUNK):
                    try:
                        said(data)
                    except AssertionError as error:
                        self._failures.append(error)
                    sink.write(data)
                    await sink.drain()
            sink.close()

        with contextlib.suppress(asyncio.CancelledError):  # the test is over
            await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))

    def stop(self) -> None:
        """End the connections; raise the first thing that was wrong with what the server said."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(STOP_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)
        self._loop.close()
        if self._failures:
            raise self._failures[0]

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        _, late = await asyncio.wait(others, timeout=1) if others else (set(), set())
        for task in late:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def refused(self) -> list[bytes]:
        """Each command that got a NO or BAD, with its answer."""
        return [
            b"%b -> %b" % (refusal.command, refusal.answer)
            for conversation in self.conversations
            for refusal in conversation.refusals
        ]

    def commands(self) -> list[bytes]:
        """Every line that clients sent."""
        return [
            line
            for conversation in self.conversations
            for who, line in conversation.events
            if who == "C"
        ]
