"""Thunderbird itself: log in, folders, headers, a body, flags, tags, move, copy, delete, folder names beyond ASCII, IDLE.

It is over 100 MB and not among the packages that `make system-deps` installs: without it this is skipped.
"""

import json
import shutil
from pathlib import Path

import pytest

from tests.certificates import Certificate
from tests.transport.imap.clients.conftest import Mailbox
from tests.transport.imap.clients.thunderbird import Thunderbird

pytestmark = pytest.mark.skipif(
    shutil.which("thunderbird") is None, reason="apt-get install thunderbird"
)
LOG_IN = """
const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
login.init("imap://localhost", null, "imap://localhost", %s, %s, "", "");
await Services.logins.addLoginAsync(login);
server.getNewMessages(server.rootFolder, null, null);
await until(() => folder("Trash") && folder("INBOX"));
server.getNewMessages(folder("INBOX"), null, null);
await until(() => folder("INBOX").getTotalMessages(false) === 6);
const Flags = Ci.nsMsgFolderFlags;
const found = {};
for (const one of server.rootFolder.descendants) {
  found[one.name] = ["Inbox", "Drafts", "SentMail", "Archive", "Junk", "Trash"].filter((use) => one.flags & Flags[use]);
}
return [found, [...folder("INBOX").messages].map((message) => message.mime2DecodedSubject).sort()];
"""
READ = """
const { MsgHdrToMimeMessage } = ChromeUtils.importESModule("resource:///modules/gloda/MimeMessage.sys.mjs");
const message = [...folder("INBOX").messages].find((one) => one.mime2DecodedSubject === "read");
const mime = await new Promise((go) => MsgHdrToMimeMessage(message, null, (_, found) => go(found), true));
return mime.coerceBodyToPlaintext(folder("INBOX"));
"""
ACT = """
const inbox = folder("INBOX");
const named = (subject) => [...inbox.messages].filter((one) => one.mime2DecodedSubject === subject);
inbox.markMessagesRead(named("read"), true);
inbox.markMessagesFlagged(named("flag"), true);
inbox.addKeywordsToMessages(named("tag"), "$label1 custom");
server.rootFolder.createSubfolder("Größe & mehr", null);
await until(() => folder("Größe & mehr"));
const copied = (messages, target, isMove) => new Promise((go) => MailServices.copy.copyMessages(
  inbox, messages, target, isMove,
  { onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() { return null; }, onStopCopy: go },
  null, false));
await copied(named("move"), folder("Größe & mehr"), true);
await copied(named("copy"), folder("Archive"), false);
inbox.deleteMessages(named("delete"), null, false, false, null, false);
await until(() => inbox.getTotalMessages(false) === 4);
return [...inbox.messages].map((one) => one.mime2DecodedSubject).sort();
"""
HEAR = """
await until(() => [...folder("INBOX").messages].some((one) => one.mime2DecodedSubject === "heard"));
folder("Größe & mehr").rename("Später", null);
await until(() => folder("Später"));
return true;
"""


def test_a_day_with_thunderbird(mailbox: Mailbox, certificate: Certificate, tmp_path: Path) -> None:
    subjects = {"read", "flag", "tag", "move", "copy", "delete"}
    mailbox.add("INBOX", *sorted(subjects))
    thunderbird = Thunderbird(mailbox, certificate, tmp_path)
    try:
        account = mailbox.account
        folders, listed = thunderbird.run(
            LOG_IN % (json.dumps(account.address), json.dumps(account.password))
        )
        assert folders == {
            "INBOX": ["Inbox"],
            "Archive": ["Archive"],
            "Drafts": ["Drafts"],
            "Sent": ["SentMail"],
            "Spam": ["Junk"],
            "Trash": ["Trash"],
        }
        assert listed == sorted(subjects)
        assert thunderbird.run(READ).strip() == "body"
        assert thunderbird.run(ACT) == ["copy", "flag", "read", "tag"]
        mailbox.add("INBOX", "heard")
        assert thunderbird.run(HEAR)
    finally:
        thunderbird.end()
    flags = mailbox.flags()
    assert set(flags) == {"copy", "flag", "read", "tag", "heard"}
    assert "\\Seen" in flags["read"]
    assert "\\Flagged" in flags["flag"]
    assert {"$label1", "custom"} <= flags["tag"]
    assert mailbox.subjects("Später") == {"move"}
    assert mailbox.subjects("Archive") == {"copy"}
    assert mailbox.subjects("Trash") == {"delete"}
    said = mailbox.recorder.commands()
    assert any(b" COMPRESS DEFLATE" in line for line in said)
    assert any(b" ENABLE UTF8=ACCEPT" in line for line in said)
    assert any(line.endswith(b" IDLE\r\n") for line in said)
