"""Programs that take mail away: fetchmail and getmail6, with the mail kept on the server and not."""

from pathlib import Path

import pytest

from tests.certificates import Certificate
from tests.transport.imap.clients.conftest import Mailbox
from tests.transport.imap.clients.programs import needs, run

NAMES = {f"m{number}" for number in range(5)}


def subjects(taken: Path) -> list[str]:
    """Those of the messages that were written one after the other."""
    lines = taken.read_text().splitlines()
    return sorted(line[9:] for line in lines if line.startswith("Subject: "))


@needs("fetchmail")
@pytest.mark.parametrize("keeps", [True, False])
def test_fetchmail(mailbox: Mailbox, certificate: Certificate, tmp_path: Path, keeps: bool) -> None:
    mailbox.add("INBOX", *sorted(NAMES))
    taken, rc = tmp_path / "taken", tmp_path / "fetchmailrc"
    rc.write_text(
        f"poll localhost service {mailbox.port} protocol imap\n"
        f'  user "{mailbox.account.address}" password "{mailbox.account.password}"\n'
        f'  ssl sslcertck sslcertfile "{certificate.ca_file}" {"keep" if keeps else "no keep"}\n'
        f'  mda "cat >> {taken}"\n'
    )
    rc.chmod(0o600)
    command = ("fetchmail", "-f", str(rc), "--nodetach", "--pidfile", str(tmp_path / "pid"))
    run(*command, home=tmp_path)
    assert subjects(taken) == sorted(NAMES)
    assert mailbox.flags() == ({name: {"\\Seen"} for name in NAMES} if keeps else {})
    # What comes later is taken alone.
    taken.unlink()
    mailbox.add("INBOX", "later")
    run(*command, home=tmp_path)
    assert subjects(taken) == ["later"]
    assert len(mailbox.flags()) == (6 if keeps else 0)


@needs("getmail")
@pytest.mark.parametrize("keeps", [True, False])
def test_getmail(mailbox: Mailbox, certificate: Certificate, tmp_path: Path, keeps: bool) -> None:
    mailbox.add("INBOX", *sorted(NAMES))
    mailbox.client.create_folder("Größe & mehr")
    mailbox.add("Größe & mehr", "inside")
    taken = tmp_path / "taken"
    (tmp_path / "rc").write_text(
        f"[retriever]\ntype = SimpleIMAPSSLRetriever\nserver = localhost\nport = {mailbox.port}\n"
        f"username = {mailbox.account.address}\npassword = {mailbox.account.password}\n"
        f'ca_certs = {certificate.ca_file}\nmailboxes = ("INBOX", "Größe & mehr")\n'
        f"[destination]\ntype = MDA_external\npath = /usr/bin/tee\n"
        f'arguments = ("-a", "{taken}")\nallow_root_commands = true\n'
        f"[options]\nread_all = false\ndelete = {not keeps}\n"
    )
    command = ("getmail", "--getmaildir", str(tmp_path), "--rcfile", str(tmp_path / "rc"))
    run(*command, home=tmp_path)
    assert subjects(taken) == sorted({*NAMES, "inside"})
    assert mailbox.subjects() == (NAMES if keeps else set())
    assert mailbox.subjects("Größe & mehr") == ({"inside"} if keeps else set())
    mailbox.add("INBOX", "later")
    run(*command, home=tmp_path)
    assert subjects(taken) == sorted({*NAMES, "inside", "later"})
