"""`manage.py serve`: the whole mail server, every service under one supervisor."""

import datetime
import errno
import os
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from mailsite.embedded.launching import EmbeddedFailure, take_lock
from mailsite.first_run import FirstAdministrator, prepare_database
from mailsite.readiness import Probe, reachable_address
from mailsite.self_signed import ensure_certificate
from mailsite.services import services, start_broker, start_database
from mailsite.supervisor import Supervisor
from mailsite.welcome import first_mail_lines, listing
from transport.listeners import bind

PORT_SECONDS = (
    3.0  # how long the listeners of a killed supervisor may take to let go of their ports
)
PORTS = {
    "smtp": "SMTP_PORT",
    "submission": "SUBMISSION_PORT",
    "submissions": "SUBMISSIONS_PORT",
    "imaps": "IMAPS_PORT",
    "sieve": "SIEVE_PORT",
    "http": "HTTP_PORT",
}


class Command(BaseCommand):
    help = "Run everything: PostgreSQL and Valkey unless configured, SMTP, IMAP, ManageSieve, web, Celery."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        with ExitStack() as stack:
            try:
                self._serve(stack)
            except EmbeddedFailure as failure:
                raise CommandError(str(failure)) from failure
            except KeyboardInterrupt:
                raise CommandError("stopped before it was ready") from None

    def _serve(self, stack: ExitStack) -> None:
        data_dir: Path = settings.DATA_DIR
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = stack.enter_context(take_lock(data_dir / "serve.lock", "`serve`", seconds=0))
        sockets = {name: self._bind(setting) for name, setting in PORTS.items()}
        if not settings.CONFIGURATION.has_own_certificate:
            ensure_certificate(
                settings.TLS_CERT_FILE,
                settings.TLS_KEY_FILE,
                settings.MAIL_HOSTNAME,
                settings.BIND_ADDRESSES,
                datetime.datetime.now(datetime.UTC),
            )
        broker = database = None
        if settings.CONFIGURATION.embeds_broker:
            broker = start_broker()
        if settings.CONFIGURATION.embeds_database:
            database = start_database()
        administrator = prepare_database(settings.MAIL_HOSTNAME)
        connections.close_all()  # no connection survives a fork
        supervisor = Supervisor(services(lock, sockets, database, broker))
        supervisor.on_tick = self._announcer(administrator)
        supervisor.run()
        self.stdout.write("Mailsite has stopped.")

    def _bind(self, setting: str) -> list[socket.socket]:
        port: int = getattr(settings, setting)
        return [self._bind_one(setting, address, port) for address in settings.BIND_ADDRESSES]

    def _bind_one(self, setting: str, address: str, port: int) -> socket.socket:
        deadline = time.monotonic() + PORT_SECONDS
        while True:
            try:
                return bind(address, port)
            except OSError as error:
                if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                    time.sleep(0.05)
                    continue
                reason = {
                    errno.EADDRINUSE: "it is in use (does another `serve` run?)",
                    errno.EACCES: "ports below 1024 need root or CAP_NET_BIND_SERVICE",
                }.get(error.errno or 0, error.strerror)
                raise CommandError(f"{setting} {port} on {address}: {reason}") from error

    def _announcer(self, administrator: FirstAdministrator | None) -> Callable[[], None]:
        """Says once, when every listener answers, what an operator wants to know."""
        address = reachable_address(settings.BIND_ADDRESSES[0])
        waiting = [
            Probe("smtp", address, settings.SMTP_PORT),
            Probe("imaps", address, settings.IMAPS_PORT, is_tls=True),
            Probe("sieve", address, settings.SIEVE_PORT, hello=b"NOOP\r\n"),
            Probe("http", address, settings.HTTP_PORT, hello=b"GET /admin/login/ HTTP/1.0\r\n\r\n"),
        ]

        def announce() -> None:
            if not waiting:
                return
            waiting[:] = [probe for probe in waiting if not probe.poll()]
            if waiting:
                return
            self.stdout.write(f"Mailsite is ready after {_age_seconds():.1f} s.")
            self.stdout.write("\n".join(listing()))
            if administrator is not None:
                self.stdout.write("\n".join(first_mail_lines(administrator)))
            self.stdout.flush()

        return announce


def _age_seconds() -> float:
    """How long this process has lived, imports included (proc(5), field 22 of /proc/self/stat)."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started
