"""`manage.py runimap` as it runs for real: processes of its own, a clean end, a certificate that a client can check."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.certificates import Certificate
from tests.transport.imap.conftest import Account
from tests.transport.imap.dialogue import Dialogue

ROOT = Path(__file__).parents[3]


@pytest.fixture
def runimap(
    django_db_setup: None, certificate: Certificate, tmp_path: Path
) -> Iterator[tuple[subprocess.Popen[bytes], SimpleNamespace]]:
    """The command with two processes, on an inherited socket."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        os.set_inheritable(listener.fileno(), True)
        process = subprocess.Popen(
            [sys.executable, "manage.py", "runimap", "--processes", "2"],
            cwd=ROOT,
            pass_fds=[listener.fileno()],
            env={
                **os.environ,
                "MAILSITE_LISTEN_FDS": f'{{"imaps": [{listener.fileno()}]}}',
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


def test_processes_hear_each_other_and_end_in_order(
    runimap: tuple[subprocess.Popen[bytes], SimpleNamespace], account: Account
) -> None:
    process, server = runimap
    sessions = [Dialogue(server) for _ in range(4)]  # type: ignore[arg-type]
    assert b"mail.example.test" in sessions[0].greeting
    for session in sessions:
        session.log_in(account.address, account.password)
        session.command(b"SELECT INBOX")
    for session in sessions[1:]:
        session.send(b"i IDLE\r\n")
        session.response()
    sessions[0].append("INBOX", b"Subject: x\r\n\r\nbody\r\n")
    for session in sessions[1:]:
        assert session.response() == b"* 1 EXISTS\r\n"
    ended = threading.Thread(target=process.wait)
    ended.start()
    process.send_signal(signal.SIGTERM)
    for session in sessions:
        assert session.response().startswith(b"* BYE ")
        assert session.response() == b""
    ended.join(15)
    assert process.returncode == 0
