"""curl: list, search, fetch, append, and commands of one's own."""

from pathlib import Path

from tests.certificates import Certificate
from tests.transport.imap.clients.conftest import Mailbox
from tests.transport.imap.clients.programs import message, needs, run


@needs("curl")
def test_urls_and_own_commands(mailbox: Mailbox, certificate: Certificate, tmp_path: Path) -> None:
    url = f"imaps://localhost:{mailbox.port}"
    login = f"{mailbox.account.address}:{mailbox.account.password}"

    def curl(*arguments: str) -> str:
        return run(
            "curl", "-sS", "--cacert", str(certificate.ca_file), "-u", login, *arguments,
            home=tmp_path,
        )  # fmt: skip

    (tmp_path / "message").write_bytes(message("hello", body="find me"))
    curl("-T", str(tmp_path / "message"), f"{url}/INBOX")
    assert curl(f"{url}/INBOX/;UID=1").encode() == message("hello", body="find me").replace(
        b"\r\n", b"\n"
    )
    assert "Subject: hello" in curl(f"{url}/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(SUBJECT)")
    assert curl(f"{url}/INBOX;MAILINDEX=1/;SECTION=1").strip() == "find me"
    assert "SEARCH 1" in curl(f"{url}/INBOX?TEXT%20find")
    assert '"/" Drafts' in curl(url)
    assert "* STATUS INBOX (MESSAGES 1)" in curl("-X", "STATUS INBOX (MESSAGES)", url)
    curl("-X", "STORE 1 +FLAGS (\\Flagged)", f"{url}/INBOX")
    curl("-X", "UID COPY 1 Archive", f"{url}/INBOX")
    curl("-X", "CREATE Sub/Folder", url)
    assert mailbox.flags() == {"hello": {"\\Flagged", "\\Seen"}}
    assert mailbox.subjects("Archive") == {"hello"}
    assert "Sub/Folder" in mailbox.folders()
