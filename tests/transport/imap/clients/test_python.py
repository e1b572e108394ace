"""Python's libraries: imapclient and imap-tools."""

import threading
from datetime import UTC, date, datetime

import imapclient
import pytest
from imap_tools import AND, NOT, OR, MailBox, MailboxFolderCreateError, MailMessageFlags

from tests.transport.imap.clients.conftest import Mailbox
from tests.transport.imap.clients.programs import message
from tests.transport.imap.running import RunningServer


@pytest.fixture
def client(mailbox: Mailbox, imap: RunningServer) -> imapclient.IMAPClient:
    connection = imapclient.IMAPClient("localhost", mailbox.port, ssl_context=imap.tls)
    connection.login(mailbox.account.address, mailbox.account.password)
    return connection


def test_imapclient_conditional_store(mailbox: Mailbox, client: imapclient.IMAPClient) -> None:
    mailbox.add("INBOX", "one", "two", "three")
    assert client.enable("CONDSTORE") == [b"CONDSTORE"]
    before = client.select_folder("INBOX")[b"HIGHESTMODSEQ"]
    mailbox.change("INBOX", "two", "\\Flagged")
    changed = client.fetch([1, 2, 3], ["FLAGS"], [f"CHANGEDSINCE {before}"])
    assert {uid: data[b"FLAGS"] for uid, data in changed.items()} == {2: (b"\\Flagged",)}
    assert client.search(["MODSEQ", str(before + 1)]) == [2]
    client.logout()


def test_imapclient_server_side(mailbox: Mailbox, client: imapclient.IMAPClient) -> None:
    mailbox.add("INBOX", "b one", "a two", "Re: b one")
    client.select_folder("INBOX")
    if client.has_capability("SORT"):
        assert client.sort("SUBJECT") == [2, 1, 3]
        assert client.sort("REVERSE ARRIVAL", "UNSEEN") == [3, 2, 1]
    if client.has_capability("THREAD=ORDEREDSUBJECT"):
        assert client.thread("ORDEREDSUBJECT") == ((1, 3), (2,))
    if client.has_capability("QUOTA"):
        assert client.get_quota_root("INBOX")[0].mailbox == "INBOX"
    if client.has_capability("ACL"):
        assert client.getacl("INBOX")
    assert client.namespace().personal == (("", "/"),)
    client.move([1], "Archive")
    client.set_flags([2], [b"\\Seen", b"$Forwarded"])
    client.remove_flags([2], [b"\\Seen"])
    assert client.get_flags([2]) == {2: (b"$Forwarded",)}
    client.unselect_folder()
    client.subscribe_folder("Archive")
    assert "Archive" in {name for _, _, name in client.list_sub_folders()}
    client.unsubscribe_folder("Archive")
    assert "Archive" not in {name for _, _, name in client.list_sub_folders()}
    client.rename_folder("Archive", "Älter/Archive")
    assert mailbox.subjects("Älter/Archive") == {"b one"}
    client.logout()


def test_imapclient_idle(mailbox: Mailbox, client: imapclient.IMAPClient) -> None:
    client.select_folder("INBOX")
    client.idle()
    mailbox.add("INBOX", "heard")
    assert (1, b"EXISTS") in client.idle_check(timeout=10)
    client.idle_done()
    assert client.search("ALL") == [1]
    client.logout()


def test_imap_tools(mailbox: Mailbox, imap: RunningServer) -> None:
    account = mailbox.account
    mailbox.add("INBOX", "one", "two")
    with MailBox("localhost", mailbox.port, ssl_context=imap.tls).login(
        account.address, account.password
    ) as box:
        box.append(
            message("größer", body="Straße"),
            "INBOX",
            dt=datetime(2024, 5, 6, 7, 8, tzinfo=UTC),
            flag_set=[MailMessageFlags.SEEN],
        )
        found = list(box.fetch(AND(subject="größer", seen=True), charset="UTF-8", mark_seen=False))
        assert [(mail.uid, mail.text.strip(), mail.size > 100) for mail in found] == [
            ("3", "Straße", True)
        ]
        assert box.uids(OR(AND(text="Straße"), AND(subject="one")), charset="UTF-8") == ["1", "3"]
        assert box.uids(NOT(AND(date_lt=date(2020, 1, 1)))) == ["1", "2", "3"]
        assert len(list(box.fetch(bulk=True, headers_only=True, reverse=True, limit=2))) == 2
        assert len(list(box.fetch(AND(uid=["1", "2"]), bulk=2))) == 2
        box.flag("1", [MailMessageFlags.FLAGGED, "Custom"], True)
        box.flag("2", MailMessageFlags.SEEN, False)
        box.folder.create("Größe & mehr/Below")
        names = {folder.name for folder in box.folder.list("Größe & mehr", "*")}
        assert names == {"Größe & mehr", "Größe & mehr/Below"}
        with pytest.raises(MailboxFolderCreateError):
            box.folder.create("INBOX")
        box.copy("1", "Größe & mehr/Below")
        box.move("2", "Größe & mehr/Below")
        assert box.folder.status("Größe & mehr/Below")["MESSAGES"] == 2
        box.folder.rename("Größe & mehr/Below", "After")
        box.folder.subscribe("After", True)
        assert box.folder.exists("After")
        box.delete("3")
        timer = threading.Timer(0.2, mailbox.add, ("INBOX", "heard"))
        timer.start()
        heard = box.idle.wait(timeout=10)
        timer.join()
        assert b"* 2 EXISTS" in heard
    mailbox.refusals_expected.append(b"CREATE")
    assert mailbox.flags() == {"one": {"\\Seen", "\\Flagged", "Custom"}, "heard": set()}
    assert mailbox.subjects("After") == {"one", "two"}
