"""QRESYNC when the changes are not remembered so far back (RFC 7162 §3.2.5.2, §3.2.6): all that ever went is told."""

import psycopg

from tests.transport.imap.conftest import Account, Connect

MESSAGE = b"Subject: x\r\n\r\nbody\r\n"


def test_what_was_forgotten_is_told_by_what_is_missing(
    connect: Connect, account: Account, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    client = connect()
    for _ in range(9):
        client.append("INBOX", MESSAGE)
    client.command(b"ENABLE QRESYNC")
    selected = b"".join(client.command(b"SELECT INBOX"))
    validity = selected.split(b"[UIDVALIDITY ")[1].split(b"]")[0]
    client.command(b"UID STORE 3:6,8 +FLAGS.SILENT (\\Deleted)")
    client.command(b"EXPUNGE")
    client.command(b"UID STORE 7 +FLAGS.SILENT (\\Seen)")
    database.execute("DELETE FROM mail_change WHERE owner_id = %s", [account.owner])
    database.execute(
        "UPDATE mail_folder SET min_modseq = highest_modseq WHERE owner_id = %s", [account.owner]
    )
    told = client.command(b"SELECT INBOX (QRESYNC (%b 10))" % validity)
    assert b"* VANISHED (EARLIER) 3:6,8\r\n" in told
    assert [line for line in told if b" FETCH " in line] == [
        b"* 3 FETCH (UID 7 FLAGS (\\Seen) MODSEQ (13))\r\n"
    ]
    # The pair that matches shows that the client knows what went before it
    told = client.command(b"SELECT INBOX (QRESYNC (%b 10 1:9 (1:3 1,2,7)))" % validity)
    assert b"* VANISHED (EARLIER) 8\r\n" in told
    told = client.command(b"UID FETCH 1:5 (FLAGS) (CHANGEDSINCE 10 VANISHED)")
    assert told[0] == b"* VANISHED (EARLIER) 3:5\r\n"
    client.command(b"STORE 1:* +FLAGS.SILENT (\\Deleted)")
    client.command(b"EXPUNGE")
    told = client.command(b"UID FETCH 1:* (FLAGS) (CHANGEDSINCE 10 VANISHED)")
    assert told[0] == b"* VANISHED (EARLIER) 1:9\r\n"
