"""imapfilter: a Lua script that searches, moves, copies, flags and deletes."""

from pathlib import Path

from tests.certificates import Certificate
from tests.transport.imap.clients.conftest import Mailbox
from tests.transport.imap.clients.programs import message, needs, run

SCRIPT = """
options.certificates = true
options.timeout = 20
options.create = true
account = IMAP {{
    server = 'localhost', port = {port}, ssl = 'auto',
    username = '{user}', password = '{password}',
}}
all, folders = account:list_all()
table.sort(all)
print('folders: ' .. table.concat(all, ','))
account:create_mailbox('Lists/News')
account:subscribe_mailbox('Lists/News')

exist, unread, unseen, uidnext = account.INBOX:check_status()
print('status: ' .. exist .. ' ' .. unseen .. ' ' .. uidnext)

news = account.INBOX:contain_subject('news') * account.INBOX:is_unseen()
news:move_messages(account['Lists/News'])
boss = account.INBOX:contain_from('boss@') - account.INBOX:contain_body('nothing')
boss:mark_flagged()
boss:add_flags({{'Important'}})
boss:copy_messages(account['Archive'])
large = account.INBOX:is_larger(2000)
large:delete_messages()
old = account.INBOX:arrived_before('01-Jan-2001') + account.INBOX:sent_since('01-Jan-2031')
print('old: ' .. #old)
matched = account.INBOX:match_subject('^REG.*')
matched:mark_seen()
for _, found in ipairs(matched) do
    box, uid = table.unpack(found)
    print('fetched: ' .. box[uid]:fetch_field('Subject'))
    print('structure: ' .. #box[uid]:fetch_structure())
end
account:rename_mailbox('Lists/News', 'News')
"""


@needs("imapfilter")
def test_search_move_flag(mailbox: Mailbox, certificate: Certificate, tmp_path: Path) -> None:
    mailbox.add("INBOX", "news one", "news two", "plain", "REGular")
    mailbox.add("INBOX", "news read", flags=(b"\\Seen",))
    for subject, body in (("urgent", "do it"), ("idle", "nothing at all"), ("large", "x" * 3000)):
        sender = "ann@example.org" if subject == "large" else "boss@example.org"
        mailbox.client.append("INBOX", message(subject, body=body, sender=sender))
    script = tmp_path / "script.lua"
    script.write_text(
        SCRIPT.format(
            port=mailbox.port, user=mailbox.account.address, password=mailbox.account.password
        )
    )
    said = run(
        "imapfilter", "-c", str(script), "-t", str(certificate.ca_file),
        home=tmp_path, SSL_CERT_FILE=str(certificate.ca_file),
    )  # fmt: skip
    assert "folders: Archive,Drafts,INBOX,Sent,Spam,Trash" in said
    assert "status: 8 7 9" in said
    assert "old: 0" in said
    assert "fetched: Subject: REGular" in said
    assert mailbox.subjects("News") == {"news one", "news two"}
    assert mailbox.flags("Archive") == {"urgent": {"\\Flagged", "Important"}}
    assert mailbox.flags() == {
        "plain": set(),
        "REGular": {"\\Seen"},
        "news read": {"\\Seen"},
        "urgent": {"\\Flagged", "Important"},
        "idle": set(),
    }
    assert "Lists/News" not in mailbox.folders()
