"""Real clients: sieve-connect (Debian's package), and sievelib's client."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sievelib.managesieve import Client

from routing.scripts import storage
from tests.certificates import Certificate
from tests.transport.managesieve.conftest import Account
from tests.transport.managesieve.running import RunningServer

GOOD = 'require ["fileinto"];\nif header :contains "subject" "ä" { fileinto "Ä"; }\n'
BROKEN = "keep;\nnonsense;\nfileinto 5;\n"

SieveConnect = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def sieve_connect(
    managesieve: RunningServer, account: Account, certificate: Certificate
) -> SieveConnect:
    """sieve_connect("--list", ...): one run of it, as the account."""
    program = shutil.which("sieve-connect")
    if program is None:
        pytest.skip("apt-get install sieve-connect")

    def run(*arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [
                program, "--server", "localhost", "--port", str(managesieve.port), "--4",
                "--user", account.address, "--passwordfd", "0",
                "--tlscafile", str(certificate.ca_file), *arguments,
            ],
            input=account.password, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        if check:
            assert done.returncode == 0, done.stderr
        return done

    return run


def test_sieve_connect(
    sieve_connect: SieveConnect,
    account: Account,
    database: psycopg.Connection[tuple[object, ...]],
    tmp_path: Path,
) -> None:
    good, broken, back = (tmp_path / name for name in ("good", "broken", "back"))
    good.write_text(GOOD)
    broken.write_text(BROKEN)
    sieve_connect("--localsieve", str(good), "--remotesieve", "mine", "--upload")
    sieve_connect("--remotesieve", "mine", "--activate")
    assert storage.active_script(database, account.owner) == ("mine", GOOD.encode())
    assert sieve_connect("--list").stdout == '"mine" ACTIVE\n'
    sieve_connect("--localsieve", str(back), "--remotesieve", "mine", "--download")
    assert back.read_text() == GOOD
    sieve_connect("--localsieve", str(good), "--checkscript")
    refused = sieve_connect("--localsieve", str(broken), "--checkscript", check=False)
    assert refused.returncode != 0
    assert "line 2, column 1" in refused.stderr
    assert "line 3, column " in refused.stderr
    refused = sieve_connect(
        "--localsieve", str(broken), "--remotesieve", "mine", "--upload", check=False
    )
    assert refused.returncode != 0
    assert storage.script(database, account.owner, "mine") == GOOD.encode()
    refused = sieve_connect("--remotesieve", "mine", "--delete", check=False)
    assert refused.returncode != 0
    sieve_connect("--deactivate")
    sieve_connect("--remotesieve", "mine", "--delete")
    assert sieve_connect("--list").stdout == ""


@pytest.mark.parametrize("is_implicit", [False, True])
def test_sievelib(
    managesieve: RunningServer,
    account: Account,
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
    is_implicit: bool,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.ca_file))
    client = Client("localhost", managesieve.port)
    how = {"ssl": True} if is_implicit else {"starttls": True}
    assert not client.connect(account.address, "wrong", **how)
    client = Client("localhost", managesieve.port)
    assert client.connect(account.address, account.password, **how)
    assert client.get_implementation() == "Mailsite"
    assert "fileinto" in client.get_sieve_capabilities()
    assert client.havespace("mine", 1000)
    assert not client.havespace("mine", 100_000_000)
    assert client.checkscript(GOOD)
    assert not client.checkscript(BROKEN)
    assert b"line 2, column 1" in client.errmsg
    assert client.putscript("mine", GOOD)
    assert client.putscript("urlaub é", "keep;")
    assert not client.putscript("mine", BROKEN)
    assert client.setactive("mine")
    assert client.listscripts() == ("mine", ["urlaub é"])
    assert client.getscript("mine") == GOOD.rstrip("\n")
    assert not client.deletescript("mine")
    assert client.renamescript("mine", "yours")
    assert client.listscripts() == ("yours", ["urlaub é"])
    assert client.setactive("")
    assert client.deletescript("yours")
    assert client.listscripts() == (None, ["urlaub é"])
    client.logout()
