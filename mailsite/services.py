"""The services that `serve` supervises: which they are, how each is started, and in which order they stop."""

import json
import os
import socket
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from django.conf import settings
from django.core.management import call_command

from mailsite.embedded.postgresql import PostgreSQL, start_postgresql
from mailsite.embedded.valkey import Valkey, start_valkey
from mailsite.supervisor import Forked, Service, fork
from transport.listeners import LISTEN_FDS_VARIABLE

LISTENERS, WORKERS, BROKER, DATABASE = range(4)  # stages of the stop
LISTENER_STOP_SECONDS = 20.0
WORKER_STOP_SECONDS = 8.0  # what a killed delivery held, the next sweep takes up
CELERY_THREADS = 16

Sockets = Mapping[str, Sequence[socket.socket]]


@dataclass(frozen=True, slots=True)
class Held:
    """What the supervisor holds open. A child keeps its own sockets and closes the rest."""

    lock: IO[str]
    sockets: Sockets
    services: list[Service]

    def keep_only(self, *names: str) -> None:
        """In a child: what it held too would keep a lock or a port from the next start."""
        self.lock.close()
        for service in self.services:
            if isinstance(service.running, PostgreSQL | Valkey):
                service.running.lock.close()
        for name, listeners in self.sockets.items():
            if name not in names:
                for listener in listeners:
                    listener.close()


def services(
    lock: IO[str], sockets: Sockets, database: PostgreSQL | None, broker: Valkey | None
) -> list[Service]:
    """Every service; the embedded ones run already, and are None when an outside one is configured."""
    found: list[Service] = []
    held = Held(lock, sockets, found)
    if database is not None:
        found.append(Service("PostgreSQL", start_database, DATABASE, 30.0, running=database))
    if broker is not None:
        found.append(Service("Valkey", start_broker, BROKER, 5.0, running=broker))
    smtp = ("smtp", "submission", "submissions")
    found.append(_listener("runsmtp", held, smtp, lambda: call_command("runsmtp")))
    found.append(_listener("runimap", held, ("imaps",), lambda: call_command("runimap")))
    found.append(_listener("runsieve", held, ("sieve",), lambda: call_command("runsieve")))
    found.append(_listener("web", held, ("http",), lambda: _run_web(held)))
    found.append(_celery("celery worker", held, WORKERS, _run_worker))
    found.append(_celery("celery beat", held, LISTENERS, _run_beat))
    return found


def start_database() -> PostgreSQL:
    return start_postgresql(settings.DATA_DIR, socket_folder=settings.DATA_DIR / "run")


def start_broker() -> Valkey:
    return start_valkey(settings.DATA_DIR, address=settings.DATA_DIR / "run" / "valkey.sock")


def _listener(name: str, held: Held, sockets: Sequence[str], main: Callable[[], object]) -> Service:
    def run() -> None:
        held.keep_only(*sockets)
        os.environ[LISTEN_FDS_VARIABLE] = json.dumps(
            {name: [listener.fileno() for listener in held.sockets[name]] for name in sockets}
        )
        main()

    def start() -> Forked:
        return fork(name, run, takes_hang_up=name != "web")

    return Service(name, start, LISTENERS, LISTENER_STOP_SECONDS)


def _celery(name: str, held: Held, stage: int, main: Callable[[], object]) -> Service:
    def run() -> None:
        held.keep_only()
        warnings.filterwarnings("ignore", message=".*superuser privileges")
        main()

    return Service(name, lambda: fork(name, run), stage, WORKER_STOP_SECONDS)


def _run_web(held: Held) -> None:
    from gunicorn.app.wsgiapp import run

    binds = [f"--bind=fd://{listener.fileno()}" for listener in held.sockets["http"]]
    sys.argv = ["gunicorn", "--config=python:mailsite.web_server", *binds, "mailsite.wsgi"]
    run()


def _run_worker() -> None:
    from mailsite.celery import app

    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    threads = ["--pool=threads", f"--concurrency={CELERY_THREADS}"]
    app.start(["--quiet", "worker", *threads, *quiet])


def _run_beat() -> None:
    from mailsite.celery import app

    app.start(["--quiet", "beat", f"--schedule={settings.CELERY_BEAT_SCHEDULE_FILENAME}"])
