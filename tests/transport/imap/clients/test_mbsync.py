"""mbsync: two-way synchronisation of two hundred messages, conflicts, flags, deletions and folders."""

from pathlib import Path

import pytest

from tests.certificates import Certificate
from tests.transport.imap.clients.conftest import Mailbox
from tests.transport.imap.clients.programs import Maildir, needs, run

CONFIGURATION = """
FSync no

IMAPAccount account
Host localhost
Port {port}
User {user}
Pass "{password}"
SSLType IMAPS
CertificateFile {ca_file}
{extra}

IMAPStore far
Account account

MaildirStore near
Path {home}/mail/
Inbox {home}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
"""


@needs("mbsync")
@pytest.mark.parametrize(
    "extra", ["", "DisableExtensions UIDPLUS LITERAL+ MOVE"], ids=["UIDPLUS", "plain"]
)
def test_two_way(mailbox: Mailbox, certificate: Certificate, tmp_path: Path, extra: str) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "rc").write_text(
        CONFIGURATION.format(
            port=mailbox.port,
            user=mailbox.account.address,
            password=mailbox.account.password,
            ca_file=certificate.ca_file,
            home=tmp_path,
            extra=extra,
        )
    )
    inbox = Maildir(tmp_path / "mail/INBOX")

    def synchronise() -> None:
        run("mbsync", "-c", str(tmp_path / "rc"), "-a", home=tmp_path)

    names = {f"m{number:03}" for number in range(200)}
    mailbox.add("INBOX", *sorted(names))
    mailbox.add("Archive", "old", flags=(b"\\Seen",))
    synchronise()
    assert inbox.flags() == dict.fromkeys(names, "")
    assert Maildir(tmp_path / "mail/Archive").flags() == {"old": "S"}

    # Both sides at once: flags here and there, the same message on both, deletions, new mail, new folders.
    inbox.mark("m000", "F")
    mailbox.change("INBOX", "m001", "\\Answered")
    inbox.mark("m002", "S")
    mailbox.change("INBOX", "m002", "\\Flagged")
    inbox.mark("m003", "ST")
    inbox.files()["m004"].unlink()
    mailbox.change("INBOX", "m005", "\\Deleted")
    inbox.mark("m006", "T")
    mailbox.change("INBOX", "m006", "\\Deleted")
    inbox.files()["m007"].unlink()
    mailbox.change("INBOX", "m007", "\\Seen")  # deleted here, read there: the deletion wins
    inbox.add("from here")
    mailbox.add("INBOX", "from there")
    mailbox.client.create_folder("There/Größe & mehr")
    mailbox.add("There/Größe & mehr", "inside")
    for kind in ("new", "cur", "tmp"):
        (tmp_path / "mail/Here/Below" / kind).mkdir(parents=True)
    Maildir(tmp_path / "mail/Here/Below").add("below")
    synchronise()
    left = names - {"m003", "m004", "m005", "m006", "m007"} | {"from here", "from there"}
    flags = mailbox.flags()
    assert set(flags) == left
    assert {name: found for name, found in flags.items() if found} == {
        "m000": {"\\Flagged"},
        "m001": {"\\Answered"},
        "m002": {"\\Seen", "\\Flagged"},
    }
    assert set(inbox.flags()) == left
    assert {name: found for name, found in inbox.flags().items() if found} == {
        "m000": "F",
        "m001": "R",
        "m002": "FS",
    }
    assert mailbox.subjects("Here/Below") == {"below"}
    assert Maildir(tmp_path / "mail/There/Gr&APYA3w-e &- mehr").flags() == {"inside": ""}

    # In step now: synchronising again changes neither side.
    before = {path.name for path in inbox.files().values()}
    synchronise()
    assert {path.name for path in inbox.files().values()} == before
    assert mailbox.flags() == flags

    # All gone there, and a folder too.
    mailbox.client.select_folder("INBOX")
    mailbox.client.delete_messages(mailbox.client.search("ALL"))
    mailbox.client.expunge()
    synchronise()
    assert inbox.flags() == {}
