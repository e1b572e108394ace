"""Programs that people script mail with: curl and swaks, against both submission ports and port 25."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.factories import PASSWORD
from tests.transport.smtp.test_receiving import MESSAGE
from tests.transport.smtp.test_submission import message_from

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="needs Debian's package curl")
needs_swaks = pytest.mark.skipif(not shutil.which("swaks"), reason="needs Debian's package swaks")


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_curl
@pytest.mark.parametrize(("scheme", "port"), [("smtp", "submission"), ("smtps", "submissions")])
def test_curl_submits(server, make_user, stored, tmp_path: Path, scheme: str, port: str) -> None:
    user = make_user()
    (tmp_path / "message").write_bytes(message_from(user.address))
    run(
        "curl", "--silent", "--show-error", "--ssl-reqd", "--cacert", str(server.ca_file),
        "--url", f"{scheme}://localhost:{server.ports[port]}/client.example",
        "--user", f"{user.address}:{PASSWORD}", "--mail-from", user.address,
        "--mail-rcpt", user.address, "--upload-file", str(tmp_path / "message"),
    )  # fmt: skip
    assert b" with ESMTPSA id " in stored(user)[0]


@needs_curl
def test_curl_delivers_to_port_25(server, make_user, stored, tmp_path: Path) -> None:
    user = make_user()
    (tmp_path / "message").write_bytes(MESSAGE)
    run(
        "curl", "--silent", "--show-error", "--mail-from", "a@s.example",
        "--mail-rcpt", user.address, "--upload-file", str(tmp_path / "message"),
        "--url", f"smtp://127.0.0.1:{server.ports['smtp']}/client.example",
    )  # fmt: skip
    assert stored(user)[0].endswith(MESSAGE)


@needs_swaks
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_swaks_submits(server, make_user, stored, mechanism: str) -> None:
    user = make_user()
    run(
        "swaks", "--server", "127.0.0.1", "--port", str(server.ports["submission"]), "--tls",
        "--auth", mechanism, "--auth-user", user.address, "--auth-password", PASSWORD,
        "--from", user.address, "--to", user.address,
    )  # fmt: skip
    assert len(stored(user)) == 1
