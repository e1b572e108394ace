"""runsmtp as an operator runs it: worker processes, a killed worker, a new certificate, a clean end."""

import os
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.certificates import make_certificate

WAIT_SECONDS = 30


@dataclass
class Running:
    """A runsmtp of two workers."""

    process: subprocess.Popen[bytes]
    ports: dict[str, int]
    certificate: Path
    key: Path

    def workers(self) -> list[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(child) for child in children.split()]

    def served_certificate(self) -> bytes:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self.ports["submissions"]), 10) as plain,
            context.wrap_socket(plain) as encrypted,
        ):
            return encrypted.getpeercert(binary_form=True) or b""


def until(is_so: Callable[[], bool]) -> None:
    """Look until it is so: what is waited for happens in other processes."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def running(django_db_setup: None, tmp_path: Path) -> Iterator[Running]:
    made = make_certificate(tmp_path, "localhost")
    listeners = {}
    for name in ("smtp", "submission", "submissions"):
        listeners[name] = socket.create_server(("127.0.0.1", 0))
        listeners[name].set_inheritable(True)
    descriptors = {name: [listener.fileno()] for name, listener in listeners.items()}
    environment = {
        **os.environ,
        "MAILSITE_LISTEN_FDS": str(descriptors).replace("'", '"'),
        "TLS_CERT_FILE": str(made.cert_file),
        "TLS_KEY_FILE": str(made.key_file),
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "runsmtp", "--processes", "2"],
        env=environment,
        pass_fds=[listener.fileno() for listener in listeners.values()],
    )
    ports = {name: listener.getsockname()[1] for name, listener in listeners.items()}
    for listener in listeners.values():
        listener.close()
    one = Running(process, ports, made.cert_file, made.key_file)
    try:
        with smtplib.SMTP("127.0.0.1", ports["smtp"], timeout=WAIT_SECONDS) as client:
            assert client.noop()[0] == 250
        yield one
    finally:
        process.kill()
        process.wait()


def test_a_killed_worker_is_replaced_and_the_service_goes_on(running: Running, make_user) -> None:
    user = make_user()
    before = running.workers()
    assert len(before) == 2
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    until(lambda: len(running.workers()) == 2 and not set(running.workers()) & set(before))
    with smtplib.SMTP("127.0.0.1", running.ports["smtp"], timeout=WAIT_SECONDS) as client:
        assert client.sendmail("a@s.example", [user.address], b"Subject: x\r\n\r\n") == {}


def test_sighup_takes_the_new_certificate(running: Running, tmp_path: Path) -> None:
    old = running.served_certificate()
    (tmp_path / "new").mkdir()
    made = make_certificate(tmp_path / "new", "localhost")
    running.certificate.write_text("not a certificate")
    running.process.send_signal(signal.SIGHUP)
    assert running.served_certificate() == old
    shutil.copy(made.cert_file, running.certificate)
    shutil.copy(made.key_file, running.key)
    running.process.send_signal(signal.SIGHUP)
    # each connection may meet either worker: both must have it
    until(lambda: old not in {running.served_certificate() for _ in range(12)})


def test_sigterm_ends_all_and_says_so_to_clients(running: Running) -> None:
    workers = running.workers()
    client = smtplib.SMTP("127.0.0.1", running.ports["smtp"], timeout=WAIT_SECONDS)
    client.ehlo()
    running.process.terminate()
    assert client.getreply()[0] == 421
    client.close()
    assert running.process.wait(WAIT_SECONDS) == 0
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


def test_workers_die_with_their_parent(running: Running) -> None:
    workers = running.workers()
    running.process.kill()
    running.process.wait()
    until(lambda: not any(_lives(worker) for worker in workers))


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_usual_limit_of_open_files_is_raised() -> None:
    script = (
        "import resource\n"
        "from transport.listeners import raise_file_limit\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))\n"
        "raise_file_limit()\n"
        "soft, now = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "assert now == hard and (soft == 65536 or soft == hard), (soft, now)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
