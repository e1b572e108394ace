"""`manage.py serve` as an operator meets it: started, refused, killed, started again, stopped."""

import imaplib
import os
import re
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.end_to_end.servers import ROOT, Server

SECOND_START_SECONDS = 3.0  # on an idle machine
IDLE_COMMAND_SECONDS = (
    0.9  # what a command takes on that machine: the measure of how busy this one is
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server.start("127.0.0.1", "mail.first.test") as started:
        wait_until(lambda: "is ready" in started.log.read_text())
        yield started


def wait_until(is_true: Callable[[], object], seconds: float = 30) -> None:
    """For what other processes do and no event tells us."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def serve_again(server: Server, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env={**server.environment, **changes},
        capture_output=True,
        text=True,
        timeout=60,
    )


def living(pids: dict[int, str]) -> list[str]:
    found = []
    for pid, line in pids.items():
        status = Path(f"/proc/{pid}/stat")
        if status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z":
            found.append(line)
    return found


def test_first_start_makes_an_administrator_and_says_how_to_use_it(server: Server) -> None:
    output = server.log.read_text()
    assert re.search(r"Administrator admin@first\.test, password \S+\n", output)
    assert f"127.0.0.1:{server.ports.imaps}" in output
    assert f"http://127.0.0.1:{server.ports.http}/admin/" in output


def test_the_two_lines_send_a_first_mail_and_read_it(server: Server) -> None:
    lines = [ln for ln in server.log.read_text().splitlines() if ln.startswith("python3 -c ")]
    assert len(lines) == 2
    send, read = (
        subprocess.run(line, shell=True, capture_output=True, text=True, timeout=60)
        for line in lines
    )
    assert (send.returncode, send.stderr) == (0, "")
    assert "Subject: First mail" in read.stdout
    assert "It works." in read.stdout


def test_the_certificate_can_be_verified(server: Server) -> None:
    cert_file = server.data_dir / "tls" / "cert.pem"
    certificate = x509.load_pem_x509_certificate(cert_file.read_bytes())
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert [name.value for name in names] == ["mail.first.test"]
    assert (server.data_dir / "tls" / "key.pem").stat().st_mode & 0o777 == 0o600
    trusting = ssl.create_default_context(cafile=str(cert_file))
    with imaplib.IMAP4_SSL("127.0.0.1", server.ports.imaps, ssl_context=trusting) as imap:
        assert imap.welcome.startswith(b"* OK")
    with socket.create_connection(("127.0.0.1", server.ports.submissions)) as plain:
        trusting.wrap_socket(plain, server_hostname="mail.first.test").close()


def test_nothing_embedded_listens_on_tcp(server: Server) -> None:
    pids = {str(pid) for pid in server.pids_of("postgres", "valkey")}
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            target = os.readlink(link)
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    table = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    tcp = {fields[9] for fields in map(str.split, table.splitlines()) if len(fields) > 9}
    assert inodes
    assert not inodes & tcp
    assert (server.data_dir / "run").stat().st_mode & 0o777 == 0o700


def test_the_database_is_durable(server: Server) -> None:
    run = server.data_dir / "run"
    with psycopg.connect(host=str(run), dbname="mailsite", user="mailsite") as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            assert connection.execute(f"SHOW {name}").fetchone() == ("on",)


def test_commands_use_the_server_and_its_secrets(server: Server) -> None:
    assert server.manage("migrate", "--check").returncode == 0


def test_the_admin_is_served_with_its_style(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.ports.http)) as http:
        http.sendall(b"GET /static/unfold/css/styles.css HTTP/1.0\r\n\r\n")
        assert b" 200 " in http.recv(64)


def test_a_second_start_on_the_same_data_is_refused(server: Server) -> None:
    done = serve_again(server)
    assert done.returncode == 1
    assert done.stderr == f"CommandError: `serve` already runs on {server.data_dir}\n"


def test_a_second_start_on_the_same_ports_is_refused(server: Server, tmp_path: Path) -> None:
    done = serve_again(server, DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert "SMTP_PORT" in done.stderr
    assert "is in use" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "word", ["runsmtp", "runimap", "runsieve", "celery", "beat", "valkey", "postgres"]
)
def test_what_dies_is_started_again(server: Server, word: str) -> None:
    victim = server.pids_of(word)[0]
    os.kill(victim, signal.SIGKILL)

    def is_replaced() -> bool:
        found = server.pids_of(word)
        return bool(found) and victim not in found

    wait_until(is_replaced)
    server.wait_until_ready()
    with smtplib.SMTP("127.0.0.1", server.ports.smtp) as client:
        assert client.ehlo("client.test")[0] == 250


def test_kill_9_leaves_no_process_and_the_next_start_is_quick(server: Server) -> None:
    before = server.pids()
    assert len(before) > 10
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    wait_until(lambda: not living(before))
    began = time.monotonic()
    server.manage("check")
    busy = max(1.0, (time.monotonic() - began) / IDLE_COMMAND_SECONDS)
    written = server.log.stat().st_size
    seconds = server.run()
    wait_until(lambda: b"is ready" in server.log.read_bytes()[written:])
    assert b"password" not in server.log.read_bytes()[written:]
    assert seconds < SECOND_START_SECONDS * busy * 1.5


def test_ctrl_c_stops_all_in_order(server: Server) -> None:
    before = server.pids()
    assert server.stop() == 0
    assert not living(before)
    assert server.log.read_text().rstrip().endswith("Mailsite has stopped.")
    control = server.data_dir / "postgresql.log"
    assert "database system is shut down" in control.read_text().splitlines()[-1]
