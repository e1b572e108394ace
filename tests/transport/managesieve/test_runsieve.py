"""`manage.py runsieve` as it runs for real: processes of its own, one killed, a clean end."""

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest

from routing.scripts import storage
from tests.certificates import Certificate
from tests.transport.managesieve.conftest import Account
from tests.transport.managesieve.dialogue import Dialogue

ROOT = Path(__file__).parents[3]


@pytest.fixture
def runsieve(
    django_db_setup: None, certificate: Certificate, tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[bytes], SimpleNamespace]]:
    """The command with two processes, on an inherited socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        os.set_inheritable(listener.fileno(), True)
        process = subprocess.Popen(
            [sys.executable, "manage.py", "runsieve", "--processes", "2"],
            cwd=ROOT,
            pass_fds=[listener.fileno()],
            env={
                **os.environ,
                "MAILSITE_LISTEN_FDS": f'{{"sieve": [{listener.fileno()}]}}',
                "TLS_CERT_FILE": str(certificate.cert_file),
                "TLS_KEY_FILE": str(certificate.key_file),
                "DATA_DIR": str(tmp_path),
                "MAIL_HOSTNAME": "mail.example.test",
            },
        )
        tls = ssl.create_default_context(cafile=str(certificate.ca_file))
        yield process, SimpleNamespace(port=listener.getsockname()[1], tls=tls)
        process.kill()
        process.wait()


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_killed_process_loses_nothing_that_was_answered(
    runsieve: tuple[subprocess.Popen[bytes], SimpleNamespace],
    account: Account,
    database: psycopg.Connection[tuple[object, ...]],
) -> None:
    process, server = runsieve
    first = Dialogue(server, "implicit")
    first.log_in(account.address, account.password)
    assert first.put("a", b"keep;") == b"OK\r\n"
    assert first.command(b'SETACTIVE "a"') == [b"OK\r\n"]
    first.send(b'PUTSCRIPT "a" {6+}\r\nstop;')
    workers = children(process.pid)
    assert len(workers) == 2
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    with pytest.raises((ssl.SSLError, OSError, AssertionError)):
        first.answer()
    assert storage.active_script(database, account.owner) == ("a", b"keep;")
    second = Dialogue(server)
    second.log_in(account.address, account.password)
    assert second.command(b"LISTSCRIPTS") == [b'"a" ACTIVE\r\n', b"OK\r\n"]
    assert not set(children(process.pid)) & set(workers)


def test_all_processes_say_bye_and_end_in_order(
    runsieve: tuple[subprocess.Popen[bytes], SimpleNamespace], account: Account
) -> None:
    process, server = runsieve
    sessions = [Dialogue(server, "implicit") for _ in range(4)]
    assert b"mail.example.test" in sessions[0].greeting[-1]
    for session in sessions:
        session.log_in(account.address, account.password)
    clear = Dialogue(server, "clear")
    process.send_signal(signal.SIGTERM)
    for session in (*sessions, clear):
        assert session.response().startswith(b"BYE ")
        assert session.response() == b""
    assert process.wait(15) == 0
