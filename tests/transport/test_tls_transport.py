"""The TLS transport as a protocol sees it, over real sockets, with a client's blocking SSL socket on the other side."""

import asyncio
import contextlib
import copy
import queue
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvloop

from tests.certificates import Certificate, make_certificate
from transport.listeners import bind
from transport.tls_server import TlsServer
from transport.tls_transport import HIGH_WATER, TlsTransport
from transport.worker_loads import WorkerLoads

SECONDS = 20


class Recorder(asyncio.Protocol):
    """Puts what it is told into a queue; `on_data` runs on the loop."""

    def __init__(self, events: "queue.Queue[tuple[str, Any]]", on_data: Any, keeps: bool) -> None:
        self.events = events
        self.on_data = on_data
        self.keeps_half_open = keeps

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, TlsTransport)
        self.transport = transport
        self.events.put(("made", self))

    def data_received(self, data: bytes) -> None:
        self.events.put(("data", data))
        if self.on_data is not None:
            self.on_data(self.transport, data)

    def eof_received(self) -> bool:
        self.events.put(("eof", None))
        return self.keeps_half_open

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.put(("lost", exc))

    def pause_writing(self) -> None:
        self.events.put(("pause", None))

    def resume_writing(self) -> None:
        self.events.put(("resume", None))


class Running:
    """A server on a loop of its own, and what its protocols heard."""

    def __init__(self, certificate: Certificate) -> None:
        self.events: queue.Queue[tuple[str, Any]] = queue.Queue()
        self.on_data: Any = None
        self.keeps_half_open = False
        self.trust = ssl.create_default_context(cafile=str(certificate.ca_file))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate.cert_file, certificate.key_file)
        self.loop = uvloop.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.listener = bind("127.0.0.1", 0)
        self.address = self.listener.getsockname()

    def start(self, handshake_seconds: float = SECONDS, shutdown_seconds: float = SECONDS) -> None:
        async def start() -> TlsServer:
            return TlsServer(
                [self.listener],
                self.context,
                lambda: Recorder(self.events, self.on_data, self.keeps_half_open),
                handshake_seconds=handshake_seconds,
                shutdown_seconds=shutdown_seconds,
            )

        self.server = self.run(start())

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(SECONDS)

    def call(self, function: Any, *arguments: Any) -> Any:
        async def call() -> Any:
            return function(*arguments)

        return self.run(call())

    def connect(self) -> ssl.SSLSocket:
        plain = socket.create_connection(self.address, timeout=SECONDS)
        return self.trust.wrap_socket(plain, server_hostname="localhost")

    def expect(self, kind: str) -> Any:
        """The next event, which must be of this kind."""
        found, value = self.events.get(timeout=SECONDS)
        assert found == kind, (found, value)
        return value

    def received(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self.expect("data")
        return data

    def stop(self) -> None:
        self.call(self.server.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(SECONDS)
        self.loop.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"), "localhost")


@pytest.fixture
def running(certificate: Certificate) -> Iterator[Running]:
    server = Running(certificate)
    try:
        yield server
    finally:
        server.stop()


def read_all(client: socket.socket) -> bytes:
    pieces = []
    while piece := client.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def reset(client: socket.socket) -> None:
    """Close with RST."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def test_bytes_go_both_ways_and_close_notify_ends_them(running: Running) -> None:
    running.on_data = lambda transport, data: transport.write(data.upper())
    running.start()
    client = running.connect()
    protocol = running.expect("made")
    assert protocol.transport.get_extra_info("peername") == client.getsockname()
    assert protocol.transport.get_extra_info("cipher")
    client.sendall(b"hello")
    assert client.recv(100) == b"HELLO"
    running.expect("data")
    assert client.unwrap() is not None  # answered by the server's own close_notify
    running.expect("eof")
    assert running.expect("lost") is None
    assert running.server.in_handshake == 0


@pytest.mark.parametrize("size", [1, 16_384, 16_385, 3_000_001])
def test_a_message_of_any_size_arrives_whole(running: Running, size: int) -> None:
    running.start()
    client = running.connect()
    protocol = running.expect("made")
    sent = bytes(range(256)) * (size // 256 + 1)
    sender = threading.Thread(target=client.sendall, args=(sent[:size],))
    sender.start()
    assert running.received(size) == sent[:size]
    sender.join(SECONDS)
    running.call(protocol.transport.write, sent[:size])
    running.call(protocol.transport.close)
    assert read_all(client) == sent[:size]


def test_a_client_that_reads_nothing_makes_the_protocol_pause(running: Running) -> None:
    running.start()
    client = running.connect()
    protocol = running.expect("made")
    size = 0
    while running.events.empty():
        running.call(protocol.transport.write, b"x" * 50_000)
        size += 50_000
    running.expect("pause")
    waiting = running.call(protocol.transport.get_write_buffer_size)
    assert HIGH_WATER < waiting <= HIGH_WATER + 50_000
    running.call(protocol.transport.close)  # what waits is sent nevertheless
    assert len(read_all(client)) == size
    running.expect("resume")
    client.close()
    assert running.expect("lost") is None


def test_a_paused_protocol_gets_nothing_and_later_all(running: Running) -> None:
    running.start()
    client = running.connect()
    protocol = running.expect("made")
    running.call(protocol.transport.pause_reading)
    client.sendall(b"first")
    assert running.events.empty()
    assert not protocol.transport.is_reading()
    running.call(protocol.transport.resume_reading)
    assert running.received(5) == b"first"


def test_reading_may_be_paused_within_a_call_and_the_sender_waits(running: Running) -> None:
    running.on_data = lambda transport, data: transport.pause_reading()
    running.start()
    client = running.connect()
    protocol = running.expect("made")
    client.settimeout(0.3)
    with pytest.raises(TimeoutError):  # the kernel's buffers are full: nobody reads
        client.sendall(b"x" * 100_000_000)
    held = len(running.expect("data"))
    assert held <= 16 * 16_384
    assert running.events.empty()
    running.call(protocol.transport.resume_reading)
    assert running.expect("data")


def test_a_client_without_tls_never_reaches_the_protocol(running: Running) -> None:
    running.start()
    with socket.create_connection(running.address, timeout=SECONDS) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            read_all(client)
    assert running.events.empty()


def test_a_silent_client_is_given_up_at_the_deadline(running: Running) -> None:
    running.start(handshake_seconds=0.2)
    with socket.create_connection(running.address, timeout=SECONDS) as client:
        assert read_all(client) == b""
    assert running.events.empty()
    assert running.call(lambda: running.server.in_handshake) == 0


def test_half_close_lets_the_protocol_answer(running: Running) -> None:
    running.keeps_half_open = True
    running.start()
    client = running.connect()
    protocol = running.expect("made")
    client.sendall(b"question")
    assert running.received(8) == b"question"
    client.setblocking(False)
    with pytest.raises(ssl.SSLWantReadError):  # our close_notify is sent; the server's is not here
        client.unwrap()
    running.expect("eof")
    client.settimeout(SECONDS)
    running.call(protocol.transport.write, b"answer")
    running.call(protocol.transport.close)
    assert client.recv(100) == b"answer"
    assert running.expect("lost") is None


def test_what_was_sent_before_the_close_arrives_though_the_client_still_sends(
    running: Running,
) -> None:
    running.on_data = lambda transport, data: (transport.write(b"BYE"), transport.close())
    running.start()
    client = running.connect()
    running.expect("made")
    client.sendall(b"x" * 300_000)
    assert read_all(client) == b"BYE"
    client.close()
    running.expect("data")
    running.expect("lost")


def test_a_client_that_never_ends_its_side_is_closed_in_time(running: Running) -> None:
    running.start(shutdown_seconds=0.2)
    client = running.connect()
    protocol = running.expect("made")
    running.call(protocol.transport.close)
    assert running.expect("lost") is None
    assert read_all(client) == b""


def test_a_reset_is_told_as_an_end(running: Running) -> None:
    running.start()
    client = running.connect()
    running.expect("made")
    reset(client)
    assert running.events.get(timeout=SECONDS)[0] in ("eof", "lost")


def test_abort_ends_at_once_and_only_once(running: Running) -> None:
    running.start()
    client = running.connect()
    protocol = running.expect("made")
    running.call(protocol.transport.write, b"x" * 10_000_000)
    running.expect("pause")
    running.call(protocol.transport.abort)
    running.call(protocol.transport.abort)
    running.call(protocol.transport.close)
    assert running.expect("lost") is None
    assert protocol.transport.is_closing()
    with contextlib.suppress(OSError):
        assert len(read_all(client)) < 10_000_000
    assert running.events.empty()


def test_noise_after_the_handshake_ends_the_connection(running: Running) -> None:
    running.start()
    client = running.connect()
    running.expect("made")
    raw = socket.socket(fileno=client.detach())
    raw.sendall(b"this is no TLS record, and never will be")
    assert isinstance(running.expect("lost"), ssl.SSLError)
    raw.close()


def test_closing_the_server_ends_handshakes_and_keeps_connections(running: Running) -> None:
    running.start()
    client = running.connect()
    protocol = running.expect("made")
    silent = socket.create_connection(running.address, timeout=SECONDS)
    # A second connection that is through shows that the silent one before it was accepted.
    running.connect()
    running.expect("made")
    running.call(running.server.close)
    assert read_all(silent) == b""
    running.call(protocol.transport.write, b"still here")
    assert client.recv(100) == b"still here"
    with pytest.raises(OSError):
        socket.create_connection(running.address, timeout=1)


def test_a_certificate_that_is_loaded_again_is_shown_to_the_next(
    running: Running, certificate: Certificate
) -> None:
    running.start()
    running.connect()
    running.context.load_cert_chain(certificate.cert_file, certificate.key_file)
    assert running.connect().getpeercert()


def test_of_two_workers_that_accept_on_one_socket_each_gets_half(running: Running) -> None:
    running.start()
    shared = WorkerLoads(2)
    listener = bind("127.0.0.1", 0)

    async def start() -> list[TlsServer]:
        servers = []
        for worker in range(2):
            loads = copy.copy(shared)
            loads.begin(worker)
            servers.append(
                TlsServer(
                    [listener.dup()],
                    running.context,
                    lambda worker=worker: Recorder(running.events, None, worker == 1),
                    handshake_seconds=SECONDS,
                    shutdown_seconds=SECONDS,
                    loads=loads,
                )
            )
        return servers

    servers = running.run(start())
    clients = []
    places = []
    for _ in range(10):
        plain = socket.create_connection(listener.getsockname(), timeout=SECONDS)
        clients.append(running.trust.wrap_socket(plain, server_hostname="localhost"))
        places.append(running.expect("made").keeps_half_open)
    assert places.count(True) == 5
    for client in clients[:5]:
        reset(client)
    for server in servers:
        running.call(server.close)
    listener.close()
