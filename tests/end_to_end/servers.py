"""Complete servers for tests: `manage.py serve` with data, ports and name servers of its own.

    with Server.start("127.0.0.2", "one.test", dns=dns.address) as server:
        server.add_user("ann@one.test")
        client = server.imap("ann@one.test")

Everything runs as an operator would run it: one supervisor, an embedded PostgreSQL and Valkey with fsync on, the
listeners, a Celery worker and beat. Nothing here reaches into the software; all is done by command and by socket.
"""

import contextlib
import os
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from imapclient import IMAPClient

from mailsite.configuration import SENDING_LIMITS
from tests.dns_server import DnsServer

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "perfpass"
READY_SECONDS = 90.0  # the first start makes a database cluster and migrates it, on a busy machine
STOP_SECONDS = 30.0
SOCKET_SECONDS = 30.0
# What an operator's shell could hold and a test's server must not see.
FOREIGN = (
    "DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY", "ENCRYPTION_KEY", "BLOB_STORAGE_URL", "TLS_CERT_FILE",
    "TLS_KEY_FILE", "MAILSITE_LISTEN_FDS", "MAX_MESSAGE_SIZE",
)  # fmt: skip


_ADD_USERS = f"""
import io, sys
from django.core.management import call_command
addresses = sys.stdin.read().split()
for address in addresses:
    sys.stdin = io.StringIO({PASSWORD!r})
    call_command("add_user", address, "--password-stdin")
"""


class ServerFailed(Exception):
    """The server ended or was not ready in time; the text holds the end of its log."""


@cache
def no_dns() -> DnsServer:
    """A DNS server of this process that knows no name, so that no look-up waits."""
    return DnsServer().start()


@dataclass(frozen=True, slots=True)
class Ports:
    """The TCP ports of one server."""

    smtp: int
    submission: int
    submissions: int
    imaps: int
    sieve: int
    http: int


def free_ports(addresses: Sequence[str], count: int) -> list[int]:
    """Ports that are free on every one of the addresses."""
    with contextlib.ExitStack() as stack:
        found: list[int] = []
        while len(found) < count:
            first = stack.enter_context(socket.socket())
            first.bind((addresses[0], 0))
            port: int = first.getsockname()[1]
            try:
                for address in addresses[1:]:
                    stack.enter_context(socket.socket()).bind((address, port))
            except OSError:
                continue
            found.append(port)
        return found


def unverified_tls() -> ssl.SSLContext:
    """A client's TLS context that takes the self-signed certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(slots=True)
class Server:
    """One complete server. `process` is its supervisor."""

    address: str
    hostname: str
    ports: Ports
    data_dir: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.data_dir.parent / f"{self.data_dir.name}.log"

    @classmethod
    @contextlib.contextmanager
    def start(
        cls,
        address: str = "127.0.0.1",
        hostname: str = "mail.example.test",
        *,
        dns: tuple[str, int] | None = None,
        smtp_port: int = 0,
        outbound_port: int = 0,
        settings: dict[str, str] | None = None,
    ) -> Iterator["Server"]:
        """A running server, stopped and removed at the end. Port 0 stands for any that is free."""
        folder = Path(tempfile.mkdtemp(prefix="mailsite-e2e-"))
        folder.chmod(0o755)  # PostgreSQL runs as an unprivileged user when the tests run as root
        numbers = free_ports([address], 6)
        ports = Ports(smtp_port or numbers[0], *numbers[1:])
        environment = {k: v for k, v in os.environ.items() if k not in FOREIGN}
        environment |= {
            "DJANGO_SETTINGS_MODULE": "mailsite.settings",
            "PYTHONUNBUFFERED": "1",
            "MAIL_HOSTNAME": hostname,
            "BIND_ADDRESS": address,
            "DATA_DIR": str(folder / "var"),
            "SMTP_PORT": str(ports.smtp),
            "SUBMISSION_PORT": str(ports.submission),
            "SUBMISSIONS_PORT": str(ports.submissions),
            "IMAPS_PORT": str(ports.imaps),
            "SIEVE_PORT": str(ports.sieve),
            "HTTP_PORT": str(ports.http),
            "DNS_NAMESERVERS": "{}:{}".format(*(dns or no_dns().address)),
            "OUTBOUND_SMTP_PORT": str(outbound_port or ports.smtp),
            **dict.fromkeys(SENDING_LIMITS, "unlimited"),
            **(settings or {}),
        }
        server = cls(address, hostname, ports, folder / "var", environment)
        try:
            server.run()
            yield server
        finally:
            server.stop()
            shutil.rmtree(folder, ignore_errors=True)

    # life

    def run(self) -> float:
        """Start the supervisor and wait until every listener greets; returns the seconds that it took."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "serve"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_until_ready()
        return time.monotonic() - began

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> None:
        """Return when SMTP, submission, IMAP, ManageSieve and HTTP answer."""
        deadline = time.monotonic() + seconds
        for port, is_tls, hello, expected in (
            (self.ports.smtp, False, b"", b"220"),
            (self.ports.submission, False, b"", b"220"),
            (self.ports.submissions, True, b"", b"220"),
            (self.ports.imaps, True, b"", b"* OK"),
            (self.ports.sieve, False, b"NOOP\r\n", b'"IMPLEMENTATION"'),
            (self.ports.http, False, b"HEAD / HTTP/1.0\r\n\r\n", b"HTTP/1."),
        ):
            while not self._greets(port, is_tls, hello, expected):
                if self.process is not None and self.process.poll() is not None:
                    raise ServerFailed(f"serve ended with {self.process.returncode}\n{self.tail()}")
                if time.monotonic() > deadline:
                    raise ServerFailed(f"port {port} did not answer in {seconds} s\n{self.tail()}")
                time.sleep(0.02)  # nothing listens yet: there is no event to wait for

    def _greets(self, port: int, is_tls: bool, hello: bytes, expected: bytes) -> bool:
        try:
            with socket.create_connection((self.address, port), timeout=5) as connection:
                stream: socket.socket = connection
                if is_tls:
                    stream = unverified_tls().wrap_socket(connection)
                stream.sendall(hello)
                return stream.recv(64).startswith(expected)
        except OSError:
            return False

    def stop(self) -> int | None:
        """End it in order, as Ctrl-C does; a server that does not end is killed. Returns the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        return self.process.returncode

    def tail(self, lines: int = 60) -> str:
        """The end of the log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    # its processes

    def pids(self) -> dict[int, str]:
        """Every living process below the supervisor, with its command line (as it calls itself)."""
        return {} if self.process is None else descendants(self.process.pid)

    def pids_of(self, *words: str) -> list[int]:
        """The processes whose command line holds one of the words, oldest first."""
        return sorted(
            pid for pid, line in self.pids().items() if any(word in line for word in words)
        )

    # what an operator does

    def manage(
        self, *arguments: str, text: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run `manage.py` with these arguments against this server."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, input=text, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        if check and done.returncode != 0:
            raise ServerFailed(
                f"{' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done

    def add_domain(self, name: str) -> None:
        """A domain with mail, whether or not the first start made it."""
        done = self.manage("add_domain", name, "--enable-mail", check=False)
        if done.returncode != 0 and "exists" not in done.stdout + done.stderr:
            raise ServerFailed(f"add_domain {name}: {done.stdout}{done.stderr}")

    def add_user(self, address: str, password: str = PASSWORD) -> None:
        """A user of a domain that is there."""
        self.manage("add_user", address, "--password-stdin", text=password + "\n")

    def add_users(self, *addresses: str) -> None:
        """Several users by the same command in one process: each start of Django costs seconds."""
        self.manage("shell", "-c", _ADD_USERS, text="\n".join(addresses))

    # what a client does

    def imap(self, login: str, password: str = PASSWORD) -> IMAPClient:
        """A client that is logged in."""
        client: Any = IMAPClient(
            self.address, self.ports.imaps, ssl_context=unverified_tls(), timeout=SOCKET_SECONDS
        )
        client.login(login, password)
        return client

    def smtp(self) -> smtplib.SMTP:
        """A stranger's connection to port 25."""
        client = smtplib.SMTP(
            self.address, self.ports.smtp, local_hostname="client.test", timeout=SOCKET_SECONDS
        )
        client.ehlo()
        return client

    def submission(self, login: str, password: str = PASSWORD) -> smtplib.SMTP:
        """A user's connection to port 587, after STARTTLS and AUTH."""
        client = smtplib.SMTP(
            self.address,
            self.ports.submission,
            local_hostname="client.test",
            timeout=SOCKET_SECONDS,
        )
        client.starttls(context=unverified_tls())
        client.login(login, password)
        return client


def descendants(root: int) -> dict[int, str]:
    """The living processes below a pid, that one not included, each with its command line."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            text = status.read_text()
            rest = text[text.rindex(")") + 2 :].split()
            if rest[0] != "Z":
                children.setdefault(int(rest[1]), []).append(int(status.parent.name))
    found: dict[int, str] = {}
    queue = list(children.get(root, []))
    while queue:
        pid = queue.pop()
        with contextlib.suppress(OSError):
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").strip()
            found[pid] = line.decode(errors="replace")
        queue += children.get(pid, [])
    return found
