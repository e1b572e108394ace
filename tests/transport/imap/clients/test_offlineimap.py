"""offlineimap3: two-way, flags, deletions, folders with names beyond ASCII."""

from pathlib import Path

from tests.certificates import Certificate
from tests.transport.imap.clients.conftest import Mailbox
from tests.transport.imap.clients.programs import Maildir, needs, run

CONFIGURATION = """
[general]
accounts = account
metadata = {home}/metadata
ui = basic

[Account account]
localrepository = here
remoterepository = there
utf8foldernames = yes

[Repository here]
type = Maildir
localfolders = {home}/mail

[Repository there]
type = IMAP
remotehost = localhost
remoteport = {port}
remoteuser = {user}
remotepass = {password}
ssl = yes
sslcacertfile = {ca_file}
"""


@needs("offlineimap")
def test_two_way(mailbox: Mailbox, certificate: Certificate, tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "rc").write_text(
        CONFIGURATION.format(
            port=mailbox.port,
            user=mailbox.account.address,
            password=mailbox.account.password,
            ca_file=certificate.ca_file,
            home=tmp_path,
        )
    )
    inbox = Maildir(tmp_path / "mail/INBOX")

    def synchronise() -> None:
        run("offlineimap", "-o", "-c", str(tmp_path / "rc"), home=tmp_path)

    names = {f"m{number:02}" for number in range(12)}
    mailbox.client.create_folder("Größe & mehr/日本")
    mailbox.add("INBOX", *sorted(names))
    mailbox.add("Größe & mehr/日本", "inside", flags=(b"\\Seen", b"\\Flagged"))
    synchronise()
    assert inbox.flags() == dict.fromkeys(names, "")
    assert Maildir(tmp_path / "mail/Größe & mehr.日本").flags() == {"inside": "FS"}

    inbox.mark("m00", "F")
    mailbox.change("INBOX", "m01", "\\Answered")
    inbox.mark("m02", "S")
    mailbox.change("INBOX", "m02", "\\Flagged")
    inbox.files()["m03"].unlink()
    mailbox.change("INBOX", "m04", "\\Deleted")
    inbox.mark("m05", "ST")
    inbox.add("from here")
    mailbox.add("INBOX", "from there")
    for kind in ("new", "cur", "tmp"):
        (tmp_path / "mail/Straße" / kind).mkdir(parents=True)
    Maildir(tmp_path / "mail/Straße").add("new folder")
    synchronise()
    synchronise()
    left = names - {"m03", "m04"} | {"from here", "from there"}
    assert set(mailbox.flags()) == set(inbox.flags()) == left
    assert mailbox.flags()["m00"] == {"\\Flagged"}
    assert mailbox.flags()["m05"] == {
        "\\Seen",
        "\\Deleted",
    }  # it expunges only what has no file here
    assert mailbox.flags()["m02"] == {"\\Seen", "\\Flagged"}
    assert inbox.flags()["m01"] == "R"
    assert inbox.flags()["m02"] == "FS"
    assert mailbox.subjects("Straße") == {"new folder"}
