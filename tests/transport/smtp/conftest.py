"""A real SMTP server of this process's own, on loopback ports that the kernel picks, against the test database."""

import asyncio
import hashlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import uvloop

from accounts.addresses import parse_address
from accounts.mailstore.blobs import read_blob
from accounts.mailstore.consistency import check_mailbox
from routing.scripts.storage import activate_script, put_script
from tests.certificates import make_certificate
from tests.dns_server import DnsServer
from tests.factories import unique
from tests.smtp_peer import SmtpPeer
from tests.transport.queue.conftest import Queue, make_queue

MAXIMUM = 1_000_000


@dataclass
class Server:
    """Ports by name, and the objects that tests look into."""

    ports: dict[str, int]
    ca_file: Path
    service: Any
    connections: list[Any] = field(default_factory=list)

    def client(self, port: str = "smtp", **options: Any) -> smtplib.SMTP:
        """smtplib's client, connected; over TLS on the port that begins with it."""
        if port == "submissions":
            return smtplib.SMTP_SSL("localhost", self.ports[port], context=self.tls(), timeout=20)
        return smtplib.SMTP("127.0.0.1", self.ports[port], timeout=20, **options)

    def logged_in(self, login: str, password: str) -> smtplib.SMTP:
        client = self.client("submission")
        client.starttls(context=self.tls())
        client.login(login, password)
        return client

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file))

    def dialogue(self, port: str = "smtp") -> "Dialogue":
        opened = Dialogue(socket.create_connection(("127.0.0.1", self.ports[port]), timeout=20))
        assert opened.reply().startswith("220 ")
        return opened


class Dialogue:
    """A raw connection: what is sent is what was written."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._file = connection.makefile("rb")

    def send(self, octets: bytes) -> None:
        self.connection.sendall(octets)

    def reply(self) -> str:
        """The next reply, its lines joined by line feeds."""
        lines = []
        while True:
            line = self._file.readline()
            if not line:
                return "\n".join(lines)
            lines.append(line.decode().rstrip("\r\n"))
            if lines[-1][3:4] != "-":
                return "\n".join(lines)

    def say(self, line: str | bytes) -> str:
        self.send((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return self.reply()

    def say_all(self, *lines: str) -> list[str]:
        return [self.say(line) for line in lines]

    def ends(self) -> bool:
        """Whether the server has closed; waits for the next octet."""
        return self._file.read(1) == b""

    def close(self) -> None:
        self._file.close()
        self.connection.close()


@pytest.fixture(scope="session")
def run_server(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Server]]:
    """run_server(**what SmtpService takes) -> Server, stopped at the end of the tests."""
    from transport import database_threads
    from transport.database_threads import DatabaseThreads
    from transport.listeners import bind
    from transport.notifier import Notifier
    from transport.smtp.listening import PORTS, serve_until
    from transport.smtp.service import SmtpService

    folder = tmp_path_factory.mktemp("certificates")
    certificate = make_certificate(folder, "localhost", "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert_file, certificate.key_file)
    ends: list[Callable[[], None]] = []
    patch = pytest.MonkeyPatch()
    patch.setattr(database_threads, "LOCK_TIMEOUT_SECONDS", 1)

    def run(**options: Any) -> Server:
        sockets = {port: [bind("127.0.0.1", 0)] for port in PORTS}
        ports = {port.name: opened[0].getsockname()[1] for port, opened in sockets.items()}
        loop = uvloop.new_event_loop()
        started = threading.Event()
        box: dict[str, Any] = {}

        async def serve() -> None:
            database = DatabaseThreads()
            notifier = Notifier(database, listen=False)
            await notifier.open()
            options.setdefault("hostname", "mx.example.test")
            options.setdefault("size_maximum", MAXIMUM)
            box["service"] = SmtpService(database, notifier, context, **options)
            box["stop"] = asyncio.Event()
            loop.call_soon(started.set)
            await serve_until(box["stop"], box["service"], sockets)
            await notifier.close()
            database.close()

        thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
        thread.start()
        assert started.wait(20)

        def end() -> None:
            loop.call_soon_threadsafe(box["stop"].set)
            thread.join(20)
            assert not thread.is_alive()

        ends.append(end)
        return Server(ports, certificate.ca_file, box["service"])

    yield run
    for end in ends:
        end()
    patch.undo()


@pytest.fixture(scope="session")
def server(run_server: Callable[..., Server]) -> Server:
    return run_server()


@pytest.fixture
def dialogue(server: Server) -> Iterator[Dialogue]:
    """A raw connection to port 25, greeted."""
    opened = server.dialogue()
    assert "\n250 HELP" in opened.say("EHLO client.example")
    yield opened
    opened.close()


Stored = Callable[[Any], list[bytes]]
Database = psycopg.Connection[Any]
Filter = Callable[[Any, str], None]
Folders = Callable[[Any], dict[str, list[bytes]]]
Queued = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def stored(database: psycopg.Connection[Any]) -> Stored:
    """stored(user) -> what the owner's folders hold, prefix and blob, in the order of arrival."""

    def read(owner: Any) -> list[bytes]:
        rows = database.execute(
            "SELECT m.prefix, m.blob_id FROM mail_message m JOIN mail_entry e"
            " ON (e.owner_id, e.message_id) = (m.owner_id, m.id) WHERE m.owner_id = %s ORDER BY m.id",
            (owner.mailbox.id,),
        ).fetchall()
        return [bytes(prefix) + bytes(read_blob(database, blob)) for prefix, blob in rows]

    return read


@pytest.fixture
def script(database: Database, server: Any) -> Filter:
    """script(user, text): the user's active script, which the server has heard of."""

    from tests.transport.smtp.test_recipients import until

    def put(user: Any, text: str) -> None:
        content = text.encode()
        put_script(database, user.mailbox.id, "main", content)
        activate_script(database, user.mailbox.id, "main")
        until(lambda: not is_stale(user, hashlib.sha256(content).digest()))

    def is_stale(user: Any, digest: bytes) -> bool:
        find = server.service.recipients.find
        address = parse_address(user.address)
        known = [find(address, is_bounce=is_bounce) for is_bounce in (False, True)]
        scripts = [one.mailboxes[0].only_script for one in known if one is not None]
        return any(one is None or one.digest != digest for one in scripts)

    return put


@pytest.fixture
def folders(database: Database) -> Folders:
    """folders(user) -> what each folder that is not empty holds; the mailbox is checked too."""

    def read(user: Any) -> dict[str, list[bytes]]:
        assert check_mailbox(database, user.mailbox.id) == []
        rows = database.execute(
            "SELECT f.name, m.prefix, m.blob_id FROM mail_entry e"
            " JOIN mail_folder f ON (f.owner_id, f.id) = (e.owner_id, e.folder_id)"
            " JOIN mail_message m ON (m.owner_id, m.id) = (e.owner_id, e.message_id)"
            " WHERE e.owner_id = %s ORDER BY e.folder_id, e.uid",
            (user.mailbox.id,),
        ).fetchall()
        found: dict[str, list[bytes]] = {}
        for name, prefix, blob in rows:
            found.setdefault(name, []).append(bytes(prefix) + read_blob(database, blob))
        return found

    return read


@pytest.fixture
def queued(database: Database) -> Queued:
    """queued(forward_path) -> the queue's rows for it, with their content."""

    def read(forward_path: str) -> list[dict[str, Any]]:
        cursor = database.execute(
            "SELECT m.*, r.notify, r.orcpt, r.next_hop FROM transport_queuedrecipient r"
            " JOIN transport_queuedmessage m ON m.id = r.message_id"
            " WHERE r.forward_path = %s ORDER BY r.id",
            (forward_path,),
        )
        names = [column.name for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for row in rows:
            row["content"] = bytes(row["prefix"]) + read_blob(database, row["blob_id"])
        return rows

    return read


@pytest.fixture
def queue(database: Database) -> Iterator[Queue]:
    """A worker, and the next server of its mail."""
    hop = f"{unique('h')}.test"
    with DnsServer() as dns, SmtpPeer() as peer:
        dns.add(hop, "MX", f"10 mx.{hop}.")
        dns.add(f"mx.{hop}", "A", peer.host)
        yield make_queue(database, dns, peer, hop)


@pytest.fixture
def zones(settings: Any) -> Iterator[DnsServer]:
    """The DNS that the server asks."""
    from transport.dns.resolver import resolver

    with DnsServer() as server:
        settings.DNS_NAMESERVERS = ((server.host, server.port),)
        resolver.cache_clear()
        yield server
    resolver.cache_clear()
