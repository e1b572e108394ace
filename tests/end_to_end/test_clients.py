"""Mail clients that people run, against a complete server: curl, mbsync, neomutt, fetchmail."""

import email
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.end_to_end.mail import content_of, make_message, own_prefix, wait_for
from tests.end_to_end.servers import PASSWORD, Server

PACKAGES = {"curl": "curl", "mbsync": "isync", "neomutt": "neomutt", "fetchmail": "fetchmail"}


def needs(program: str) -> pytest.MarkDecorator:
    """Skip where the program is missing, and name its package."""
    reason = f"{program} is missing: apt-get install -y {PACKAGES[program]}"
    return pytest.mark.skipif(shutil.which(program) is None, reason=reason)


def run(*command: str, home: Path, text: bytes = b"") -> bytes:
    """Run a client with a home of its own; its output, or an AssertionError with what it complained of."""
    done = subprocess.run(
        command,
        input=text,
        capture_output=True,
        timeout=60,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TERM": "xterm"},
    )
    assert done.returncode == 0, (
        command,
        done.returncode,
        done.stdout[-2000:],
        done.stderr[-2000:],
    )
    return done.stdout


@needs("curl")
def test_curl_sends_lists_fetches_and_appends(server: Server, tmp_path: Path) -> None:
    address = "curl@example.test"
    server.add_users(address)
    login = ("--insecure", "--silent", "--show-error", "--user", f"{address}:{PASSWORD}")
    imap = f"imaps://{server.address}:{server.ports.imaps}"
    sent = make_message(address, address, "From curl")
    (tmp_path / "message.eml").write_bytes(sent)
    for url in (
        ("--ssl-reqd", f"smtp://{server.address}:{server.ports.submission}"),
        (f"smtps://{server.address}:{server.ports.submissions}",),
    ):
        run(
            "curl", *login, *url, "--mail-from", address, "--mail-rcpt", address,
            "--upload-file", str(tmp_path / "message.eml"), home=tmp_path,
        )  # fmt: skip
    folders = run("curl", *login, imap, home=tmp_path)
    for name in (b"INBOX", b"Drafts", b"Sent", b"Spam", b"Trash", b"Archive"):
        assert name in folders
    run(
        "curl",
        *login,
        f"{imap}/Drafts",
        "--upload-file",
        str(tmp_path / "message.eml"),
        home=tmp_path,
    )
    assert run("curl", *login, f"{imap}/Drafts;MAILINDEX=1", home=tmp_path) == sent
    fetched = run("curl", *login, f"{imap}/INBOX;MAILINDEX=2", home=tmp_path)
    own_prefix(fetched, sent)
    assert b"SEARCH 1 2" in run("curl", *login, f"{imap}/INBOX?SUBJECT%20curl", home=tmp_path)


@needs("mbsync")
def test_mbsync_syncs_both_ways(server: Server, tmp_path: Path) -> None:
    address = "mbsync@example.test"
    server.add_users(address)
    with server.imap(address) as client:
        for number in range(5):
            client.append("INBOX", make_message("p@sender.test", address, f"Number {number}"))
    (tmp_path / ".mbsyncrc").write_text(
        textwrap.dedent(
            f"""\
            IMAPAccount ours
            Host localhost
            Port {server.ports.imaps}
            User {address}
            Pass {PASSWORD}
            SSLType IMAPS
            CertificateFile {server.data_dir}/tls/cert.pem

            IMAPStore remote
            Account ours

            MaildirStore local
            Path {tmp_path}/mail/
            Inbox {tmp_path}/mail/INBOX
            SubFolders Verbatim

            Channel all
            Far :remote:
            Near :local:
            Patterns *
            Create Both
            Expunge Both
            SyncState *
            """
        )
    )
    (tmp_path / "mail").mkdir()
    run("mbsync", "-a", home=tmp_path)
    inbox = tmp_path / "mail/INBOX"
    files = sorted([*inbox.glob("new/*"), *inbox.glob("cur/*")])
    assert len(files) == 5
    assert (tmp_path / "mail/Archive").is_dir()

    # What is done here goes there: one is read, one deleted, one is new, one folder is new.
    files[0].rename(inbox / "cur" / (files[0].name.split(":")[0] + ":2,S"))
    files[1].unlink()
    (inbox / "new/1.fresh.host").write_bytes(
        make_message(address, address, "Written here").replace(b"\r\n", b"\n")
    )
    for name in ("cur", "new", "tmp"):
        (tmp_path / "mail/Projects" / name).mkdir(parents=True)
    run("mbsync", "-a", home=tmp_path)
    with server.imap(address) as client:
        assert client.folder_exists("Projects")
        client.select_folder("INBOX")
        assert len(client.search("ALL")) == 5
        assert len(client.search("SEEN")) == 1
        assert len(client.search(["SUBJECT", "Written here"])) == 1
        client.delete_messages(client.search("ALL"))
        client.expunge()
    # And back.
    run("mbsync", "-a", home=tmp_path)
    assert not [*inbox.glob("new/*"), *inbox.glob("cur/*")]


@needs("neomutt")
def test_neomutt_sends_and_files_what_it_received(server: Server, tmp_path: Path) -> None:
    address, friend = "neomutt@example.test", "friend@example.test"
    server.add_users(address, friend)
    (tmp_path / "sending").write_text(
        textwrap.dedent(
            f"""\
            set from = "{address}"
            set use_envelope_from = yes
            set copy = no
            set smtp_url = "smtps://{address.replace("@", "%40")}@{server.address}:{server.ports.submissions}/"
            set smtp_pass = "{PASSWORD}"
            set certificate_file = "{server.data_dir}/tls/cert.pem"
            set ssl_verify_host = no
            """
        )
    )
    run(
        "neomutt", "-n", "-F", str(tmp_path / "sending"), "-s", "From neomutt", "--", friend,
        home=tmp_path, text=b"Hello friend,\nthis is neomutt.\n",
    )  # fmt: skip
    (tmp_path / "reading").write_text(
        textwrap.dedent(
            f"""\
            set imap_user = "{friend}"
            set imap_pass = "{PASSWORD}"
            set folder = "imaps://{server.address}:{server.ports.imaps}/"
            set spoolfile = "+INBOX"
            set certificate_file = "{server.data_dir}/tls/cert.pem"
            set ssl_verify_host = no
            set confirmappend = no
            set delete = yes
            set quit = yes
            push "<save-message>=Archive<enter><sync-mailbox><quit>"
            """
        )
    )
    # It reads on a terminal only; script(1) gives it one.
    command = f"neomutt -n -F {tmp_path}/reading"
    run("script", "-qec", command, "/dev/null", home=tmp_path)
    with server.imap(friend) as client:
        assert client.select_folder("INBOX")[b"EXISTS"] == 0
        (uid,) = wait_for(client, 1, "Archive")
        message = email.message_from_bytes(content_of(client, uid))
    assert message["Subject"] == "From neomutt"
    assert "this is neomutt" in message.get_payload()


@needs("fetchmail")
def test_fetchmail_takes_all_and_expunges(server: Server, tmp_path: Path) -> None:
    address = "fetchmail@example.test"
    server.add_users(address)
    sent = [make_message("p@sender.test", address, f"Fetched {number}") for number in range(3)]
    with server.imap(address) as client:
        for message in sent:
            client.append("INBOX", message)
    taken = tmp_path / "taken"
    configuration = tmp_path / "fetchmailrc"
    configuration.write_text(
        f'poll "{server.address}" service {server.ports.imaps} protocol imap\n'
        f'  user "{address}" password "{PASSWORD}" ssl no sslcertck\n'
        f'  mda "cat >> {taken}"\n'
    )
    configuration.chmod(0o600)
    run("fetchmail", "-f", str(configuration), "--nodetach", "--fetchall", home=tmp_path)
    for number in range(3):
        assert f"Subject: Fetched {number}".encode() in taken.read_bytes()
    with server.imap(address) as client:
        assert client.select_folder("INBOX")[b"EXISTS"] == 0
