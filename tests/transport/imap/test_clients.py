"""Real clients against the IMAP server: imapclient, curl, mbsync, neomutt, imapflow."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import imapclient
import pytest

from tests.certificates import Certificate
from tests.transport.imap.conftest import Account, Connect
from tests.transport.imap.running import RunningServer

NODE = Path(__file__).parents[2] / "node"
MESSAGE = b"From: Ann <ann@example.org>\r\nTo: bob@example.net\r\nSubject: hello\r\n\r\nbody\r\n"
DEFAULT_FOLDERS = {"INBOX", "Archive", "Drafts", "Sent", "Spam", "Trash"}


def program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: apt-get install {package}")
    return found


def run(*command: str, cwd: Path | None = None, code: int = 0) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def client(imap: RunningServer, account: Account) -> imapclient.IMAPClient:
    connection = imapclient.IMAPClient("localhost", imap.port, ssl_context=imap.tls)
    connection.login(account.address, account.password)
    return connection


def test_imapclient(client: imapclient.IMAPClient) -> None:
    assert {name for _, _, name in client.list_folders()} == DEFAULT_FOLDERS
    assert client.find_special_folder(b"\\Sent") == "Sent"
    assert client.has_capability("CONDSTORE")
    when = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    client.create_folder("Größe & mehr")
    client.append("Größe & mehr", MESSAGE, (b"\\Seen",), when)
    assert client.select_folder("Größe & mehr")[b"EXISTS"] == 1
    (found,) = client.fetch(
        [1], ["ENVELOPE", "INTERNALDATE", "FLAGS", "RFC822", "BODYSTRUCTURE"]
    ).values()
    assert found[b"ENVELOPE"].subject == b"hello"
    assert found[b"INTERNALDATE"].astimezone(UTC) == when
    assert found[b"FLAGS"] == (b"\\Seen",)
    assert found[b"RFC822"] == MESSAGE
    assert client.search(["SUBJECT", "hello"]) == [1]
    assert client.search(["TEXT", "ä"], "UTF-8") == []
    client.add_flags([1], [b"\\Deleted"])
    client.uid_expunge([1])
    assert client.search() == []
    client.close_folder()
    client.delete_folder("Größe & mehr")
    client.logout()


def test_curl(
    imap: RunningServer, account: Account, certificate: Certificate, tmp_path: Path
) -> None:
    curl = program("curl", "curl")
    url = f"imaps://localhost:{imap.port}"
    common = (
        curl,
        "-sS",
        "--cacert",
        str(certificate.ca_file),
        "-u",
        f"{account.address}:{account.password}",
    )
    (tmp_path / "message").write_bytes(MESSAGE)
    run(*common, "-T", str(tmp_path / "message"), f"{url}/INBOX")
    assert run(*common, f"{url}/INBOX/;UID=1").encode() == MESSAGE.replace(b"\r\n", b"\n")
    assert "SEARCH 1" in run(*common, f"{url}/INBOX?SUBJECT%20hello")
    run(*common, "-X", "STORE 1 +FLAGS (\\Deleted)", f"{url}/INBOX")
    assert '"/" Drafts' in run(*common, url)


def test_mbsync_both_ways(
    imap: RunningServer,
    account: Account,
    certificate: Certificate,
    connect: Connect,
    tmp_path: Path,
) -> None:
    mbsync = program("mbsync", "isync")
    (tmp_path / "mail").mkdir()
    (tmp_path / "rc").write_text(
        f"""IMAPAccount a
Host localhost
Port {imap.port}
User {account.address}
Pass "{account.password}"
SSLType IMAPS
CertificateFile {certificate.ca_file}

IMAPStore far
Account a

MaildirStore near
Path {tmp_path}/mail/
Inbox {tmp_path}/mail/INBOX
SubFolders Verbatim

Channel c
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
"""
    )
    command = (mbsync, "-c", str(tmp_path / "rc"), "-a")
    server = connect()
    for _ in range(3):
        server.append("INBOX", MESSAGE)
    run(*command)
    local = sorted((tmp_path / "mail/INBOX").glob("*/*"))
    assert len(local) == 3
    assert (tmp_path / "mail/Archive").is_dir()
    # Here: one new, one flagged, one deleted; there: a flag
    new = tmp_path / "mail/INBOX/new/1.local.host"
    new.write_bytes(MESSAGE.replace(b"hello", b"from here").replace(b"\r\n", b"\n"))
    local[0].rename(tmp_path / "mail/INBOX/cur" / (local[0].name.split(":")[0] + ":2,F"))
    local[1].rename(tmp_path / "mail/INBOX/cur" / (local[1].name.split(":")[0] + ":2,T"))
    server.command(b"SELECT INBOX")
    server.command(b"UID STORE 3 +FLAGS (\\Answered)")
    run(*command)
    run(*command)
    names = [path.name for path in (tmp_path / "mail/INBOX").glob("*/*")]
    assert len(names) == 3
    assert sum(":2,R" in name for name in names) == 1
    server.command(b"NOOP")
    told = b"".join(server.command(b"UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
    assert told.count(b"* ") == 3
    assert told.count(b"\\Flagged") == 1
    assert b"from here" in told


def test_neomutt_reads_and_flags(
    imap: RunningServer,
    account: Account,
    certificate: Certificate,
    connect: Connect,
    tmp_path: Path,
) -> None:
    neomutt = program("neomutt", "neomutt")
    server = connect()
    server.append("INBOX", MESSAGE)
    (tmp_path / "rc").write_text(
        f"""set imap_user="{account.address}" imap_pass="{account.password}"
set certificate_file="{certificate.ca_file}" ssl_verify_host=no header_cache="" mail_check=1
set spoolfile="imaps://localhost:{imap.port}/INBOX" folder="imaps://localhost:{imap.port}/"
set confirmappend=no delete=yes quit=yes mark_old=no
push "<flag-message><copy-message>=Archive<enter><quit>"
"""
    )
    # neomutt wants a terminal, and script gives it one
    script = program("script", "bsdutils")
    command = f"{neomutt} -n -F {tmp_path}/rc"
    done = subprocess.run(
        (script, "-qec", command, str(tmp_path / "typescript")),
        env={"TERM": "xterm", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    server.command(b"SELECT INBOX")
    assert b"\\Flagged" in server.command(b"FETCH 1 FLAGS")[0]
    assert b"MESSAGES 1" in server.command(b"STATUS Archive (MESSAGES)")[0]


def test_imapflow(imap: RunningServer, account: Account, certificate: Certificate) -> None:
    node = program("node", "nodejs")
    if not (NODE / "node_modules/imapflow").is_dir():
        pytest.skip("imapflow is not installed: npm install --prefix tests/node")
    seen = json.loads(
        run(
            node,
            str(NODE / "imapflow.mjs"),
            str(imap.port),
            account.address,
            account.password,
            str(certificate.ca_file),
        ).splitlines()[-1]
    )
    assert dict(seen["folders"])["Trash"] == "\\Trash"
    assert seen["exists"] == 2
    uid, flags, subject, kind, date, size, length = seen["messages"][0]
    assert (uid, flags, subject, kind) == (1, ["\\Seen"], "hello", "text/plain")
    assert date == "2024-05-06T07:08:09.000Z"
    assert size == length
    assert seen["unseen"] == [2]
    assert seen["flags"] == ["$Label1", "\\Flagged"]
    assert seen["moved"] == [[1, 1]]
    assert seen["status"]["messages"] == 1
    assert seen["left"] == 0
    assert seen["heard"] == 1
