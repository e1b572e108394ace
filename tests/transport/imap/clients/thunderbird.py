"""Thunderbird without a screen, driven through Marionette, the automation protocol that is built into it."""

import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.certificates import Certificate
from tests.transport.imap.clients.conftest import Mailbox

START_SECONDS = 60
SCRIPT_SECONDS = 60
_SCRIPT = """
const done = arguments[arguments.length - 1];
const {{ MailServices }} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const server = MailServices.accounts.defaultAccount.incomingServer;
const folder = (name) => server.rootFolder.descendants.find((one) => one.name === name);
const until = async (holds) => {{
  while (!holds()) await new Promise((go) => setTimeout(go, 50));
}};
(async () => {{ {body} }})().then(done, (error) => done({{ error: `${{error}} ${{error.stack}}` }}));
"""


class Thunderbird:
    """A running Thunderbird with one account, whose password it knows."""

    def __init__(self, mailbox: Mailbox, certificate: Certificate, home: Path) -> None:
        profile = home / "profile"
        profile.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (profile / "user.js").write_text(_preferences(mailbox, port))
        octets = ssl.PEM_cert_to_DER_cert(certificate.cert_file.read_text())
        print_ = ":".join(f"{octet:02X}" for octet in hashlib.sha256(octets).digest())
        (profile / "cert_override.txt").write_text(
            f"localhost:{mailbox.port}:\tOID.2.16.840.1.101.3.4.2.1\t{print_}\t\n"
        )
        with (home / "thunderbird.log").open("wb") as log:
            self._process = subprocess.Popen(
                ["thunderbird", "--headless", "--no-remote", "--profile", str(profile),
                 "--marionette", "--remote-allow-system-access"],
                env=os.environ | {"HOME": str(home)}, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._buffer, self._commands = b"", 0
        try:
            self._socket = _connect(port)
            self._receive()
            self._command("WebDriver:NewSession", capabilities={"pageLoadStrategy": "none"})
            self._command("Marionette:SetContext", value="chrome")
            self._command("WebDriver:SetTimeouts", script=SCRIPT_SECONDS * 1000)
        except BaseException:
            self.end()
            raise

    def run(self, body: str) -> Any:
        """What the body of an async function returns; it knows MailServices, server, folder(name) and until(condition)."""
        value = self._command(
            "WebDriver:ExecuteAsyncScript", script=_SCRIPT.format(body=body), args=[]
        )["value"]
        assert not (isinstance(value, dict) and "error" in value), value
        return value

    def end(self) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)  # it has children
        self._process.wait(20)

    def _command(self, name: str, **parameters: Any) -> Any:
        self._commands += 1
        request = json.dumps([0, self._commands, name, parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(request), request))
        _, _, error, result = self._receive()
        assert error is None, error
        return result

    def _receive(self) -> Any:
        while b":" not in self._buffer:
            self._buffer += self._more()
        length, _, self._buffer = self._buffer.partition(b":")
        while len(self._buffer) < int(length):
            self._buffer += self._more()
        received, self._buffer = self._buffer[: int(length)], self._buffer[int(length) :]
        return json.loads(received)

    def _more(self) -> bytes:
        data = self._socket.recv(1 << 16)
        assert data, "Thunderbird has hung up"
        return data


def _connect(port: int) -> socket.socket:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=2 * SCRIPT_SECONDS)
        except OSError:
            assert time.monotonic() < deadline, "Thunderbird does not listen"
            time.sleep(0.1)  # nothing listens yet: there is no event to wait for


def _preferences(mailbox: Mailbox, marionette_port: int) -> str:
    server, identity = "mail.server.server1", "mail.identity.id1"
    values = {
        "mail.accountmanager.accounts": "account1",
        "mail.accountmanager.defaultaccount": "account1",
        "mail.account.account1.server": "server1",
        "mail.account.account1.identities": "id1",
        f"{server}.type": "imap",
        f"{server}.hostname": "localhost",
        f"{server}.port": mailbox.port,
        f"{server}.userName": mailbox.account.address,
        f"{server}.name": "Tested",
        f"{server}.socketType": 3,
        f"{server}.authMethod": 3,
        f"{server}.login_at_startup": False,  # it does not know the password yet, and would ask
        f"{server}.check_new_mail": False,
        f"{identity}.useremail": mailbox.account.address,
        f"{identity}.valid": True,
        "marionette.port": marionette_port,
        "app.update.enabled": False,
        "app.donation.eoy.version.viewed": 999,
        "datareporting.policy.dataSubmissionEnabled": False,
        "mail.inappnotifications.enabled": False,
        "mail.provider.suppress_dialog_on_startup": True,
        "mail.rights.version": 1,
        "mail.shell.checkDefaultClient": False,
        "mail.spotlight.firstRunDone": True,
        "mailnews.start_page.enabled": False,
    }
    return "".join(f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in values.items())
