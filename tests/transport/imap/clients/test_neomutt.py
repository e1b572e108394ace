"""neomutt: open, search, limit, tag, move, delete, flag, draft; a header cache over CONDSTORE and QRESYNC."""

from pathlib import Path

import pytest

from tests.certificates import Certificate
from tests.transport.imap.clients.conftest import Mailbox
from tests.transport.imap.clients.programs import message, needs, run

CONFIGURATION = """
set imap_user = "{user}"
set imap_pass = "{password}"
set folder = "imaps://localhost:{port}/"
set spool_file = "+INBOX"
set postponed = "+Drafts"
set record = "+Sent"
set certificate_file = "{ca_file}"
set ssl_verify_host = no
set header_cache = "{home}/headers"
set message_cache_dir = "{home}/bodies"
set imap_condstore = yes
set imap_qresync = {qresync}
set imap_check_subscribed = yes
set mark_old = no
set sort = mailbox-order
set delete = yes
set quit = yes
set move = no
set confirm_append = no
set confirm_create = no
set fast_reply = yes
set autoedit = yes
set abort_nosubject = no
set abort_unmodified = no
set postpone = yes
set editor = "{home}/editor"
set from = "{user}"
set wait_key = no
push "{keys}"
"""


class Neomutt:
    """Runs neomutt with keys that it presses by itself, on the terminal that it wants."""

    def __init__(
        self, mailbox: Mailbox, certificate: Certificate, home: Path, qresync: str
    ) -> None:
        self._values = {
            "user": mailbox.account.address,
            "password": mailbox.account.password,
            "port": mailbox.port,
            "ca_file": certificate.ca_file,
            "home": home,
            "qresync": qresync,
        }
        self._home = home
        (home / "editor").write_text('#!/bin/sh\necho "Written in neomutt" >> "$1"\n')
        (home / "editor").chmod(0o755)
        (home / "headers").mkdir()
        (home / "bodies").mkdir()

    def press(self, *keys: str) -> None:
        (self._home / "rc").write_text(CONFIGURATION.format(**self._values, keys="".join(keys)))
        command = f"neomutt -n -F {self._home}/rc"
        run("script", "-qec", command, "/dev/null", home=self._home)


@needs("neomutt", "script")
@pytest.mark.parametrize("qresync", ["yes", "no"])
def test_a_day_with_neomutt(
    mailbox: Mailbox, certificate: Certificate, tmp_path: Path, qresync: str
) -> None:
    neomutt = Neomutt(mailbox, certificate, tmp_path, qresync)
    names = {f"m{number:02}" for number in range(20)}
    mailbox.add("INBOX", *sorted(names))
    mailbox.client.append("INBOX", message("needle", body="a word in haystacks"))
    neomutt.press(
        "<limit>=b haystacks<enter><flag-message><display-message><exit>",  # SEARCH on the server
        "<limit>all<enter>",
        "<tag-pattern>~s m0[123]<enter><tag-prefix><save-message>=Archive<enter>",
        "<untag-pattern>.<enter>",
        "<delete-pattern>~s m0[45]<enter>",
        "<search>~s m06<enter><copy-message>=Größe<enter>",
        "<sync-mailbox><quit>",
    )
    assert mailbox.subjects() == names - {"m01", "m02", "m03", "m04", "m05"} | {"needle"}
    assert mailbox.subjects("Archive") == {"m01", "m02", "m03"}
    assert mailbox.flags()["needle"] == {"\\Seen", "\\Flagged"}
    assert mailbox.subjects("Größe") == {"m06"}
    mailbox.refusals_expected += [b"[NONEXISTENT] No such folder", b"[TRYCREATE]"]  # and it creates

    # Others change what the header cache knows.
    mailbox.change("INBOX", "m07", "\\Deleted")
    mailbox.change("INBOX", "m08", "\\Flagged")
    mailbox.add("INBOX", "new one")
    told = len(mailbox.recorder.commands())
    neomutt.press(
        '<search>~s \\"new one\\"<enter><set-flag>r',
        "<delete-pattern>~F ~s m08<enter><delete-pattern>~s m07<enter>",
        "<sync-mailbox><quit>",
    )
    assert "m08" not in mailbox.flags()
    assert mailbox.flags()["new one"] == {"\\Seen", "\\Answered"}
    resumed = b"".join(mailbox.recorder.commands()[told:])
    assert (b"CHANGEDSINCE" in resumed and b"VANISHED)" in resumed) is (qresync == "yes")

    # A draft, written, kept on the server, and taken up again.
    neomutt.press("<mail>friend@example.test<enter>A draft<enter><postpone-message><quit>")
    (draft,) = mailbox.flags("Drafts").items()
    assert draft[0] == "A draft"
    assert "\\Draft" in draft[1]
