"""Folders shared between users (RFC 4314), over real sockets."""

import threading

import imapclient
import psycopg
import pytest

from accounts import removal
from accounts.models import User
from tests.factories import PASSWORD, MakeDomain
from tests.transport.imap.running import RunningServer
from tests.transport.imap.sharing_dialogues import MESSAGE, MakePerson, Person


def share(ann: Person, bob: Person, rights: str, folder: str = "Team", messages: int = 0) -> str:
    """Make a folder of Ann's with messages and share it with Bob; Bob's name for it."""
    if folder != "INBOX":
        ann.ok(f"CREATE {folder}")
    for _ in range(messages):
        ann.append(folder)
    ann.ok(f"SETACL {folder} {bob.address} {rights}")
    return bob_name(ann, folder)


def bob_name(ann: Person, folder: str) -> str:
    return f'"{ann.shared(folder)}"'


def test_a_shared_folder_is_listed_selected_and_read(ann: Person, bob: Person) -> None:
    name = share(ann, bob, "lrs", messages=2)
    listed = bob.ok('LIST "" Shared/*')
    assert listed == [f'* LIST (\\HasNoChildren) "/" {ann.shared("Team")}']
    selected = bob.ok(f"SELECT {name}")
    assert "* 2 EXISTS" in selected
    assert "* OK [PERMANENTFLAGS (\\Seen)] Flags that are kept" in selected
    assert "READ-ONLY" in bob.hear(f"SELECT {name}")[-1]
    assert "Subject: hello" in "".join(bob.ok("FETCH 1 BODY.PEEK[HEADER]"))


def test_nobody_else_sees_it(ann: Person, bob: Person, make_person: MakePerson) -> None:
    name = share(ann, bob, "lr")
    eve = make_person()
    for pattern in ("*", "%", "Shared/%", "Shared/*", ann.shared("*"), ann.shared("%")):
        assert not [line for line in eve.ok(f'LIST "" "{pattern}"') if "Shared" in line]
    for command in ("SELECT", "EXAMINE", "GETACL", "MYRIGHTS", "DELETE"):
        missing = eve.hear(f'{command} "{ann.shared("Nowhere")}"')[-1].split(" ", 1)[1]
        assert eve.hear(f"{command} {name}")[-1].split(" ", 1)[1] == missing


def test_parents_are_listed_without_being_there(ann: Person, bob: Person) -> None:
    share(ann, bob, "l", folder="A/B")
    assert '* LIST (\\Noselect \\HasChildren) "/" Shared' in bob.ok('LIST "" %')
    above = bob.ok('LIST "" Shared/%')
    assert above == [f'* LIST (\\Noselect \\HasChildren) "/" Shared/{ann.address}']
    below = bob.ok(f'LIST "" "{ann.shared("%")}"')
    assert below == [f'* LIST (\\Noselect \\HasChildren) "/" {ann.shared("A")}']


def test_seen_is_each_readers_own(ann: Person, bob: Person, make_person: MakePerson) -> None:
    name = share(ann, bob, "lrs", messages=3)
    cid = make_person()
    ann.ok(f"SETACL Team {cid.address} lrs")
    ann.ok("SELECT Team")
    ann.ok("STORE 1 +FLAGS (\\Seen)")
    bob.ok(f"SELECT {name}")
    bob.ok("STORE 2:3 +FLAGS (\\Seen)")
    bob.ok("STORE 3 -FLAGS (\\Seen)")
    cid.ok(f"SELECT {name}")
    cid.ok("FETCH 3 BODY[]")
    assert ann.flags() == ["\\Seen", "", ""]
    assert bob.flags() == ["", "\\Seen", ""]
    assert cid.flags() == ["", "", "\\Seen"]
    for person, folder, found in ((ann, "Team", "1"), (bob, name, "2"), (cid, name, "3")):
        assert person.ok("SEARCH SEEN") == [f"* SEARCH {found}"]
        assert "UNSEEN 2" in person.ok(f"STATUS {folder} (UNSEEN)")[0]
    listed = bob.ok(f'LIST "" {name} RETURN (STATUS (UNSEEN MESSAGES))')
    assert listed[1].endswith("(UNSEEN 2 MESSAGES 3)")


def test_a_readers_seen_is_news_to_his_sessions_alone(
    ann: Person, bob: Person, make_person: MakePerson, other_imap: RunningServer
) -> None:
    name = share(ann, bob, "lrs", messages=2)
    phone = make_person(of=bob, server=other_imap)
    for person, folder in ((ann, "Team"), (bob, name), (phone, name)):
        person.ok("ENABLE CONDSTORE")
        person.ok(f"SELECT {folder}")
    phone.says.send(b"i IDLE\r\n")
    assert phone.says.response().startswith(b"+")
    told = bob.ok("STORE 2 +FLAGS (\\Seen)")
    modseq = told[0].split("MODSEQ (")[1].split(")")[0]
    news = phone.says.response().decode()
    assert "* 2 FETCH" in news
    assert "\\Seen" in news
    assert f"MODSEQ ({modseq})" in news
    phone.says.send(b"DONE\r\n")
    phone.says.until(b"i")
    assert ann.ok("NOOP") == []
    assert ann.ok(f"SEARCH MODSEQ {modseq}") == ["* SEARCH"]
    assert bob.ok(f"SEARCH MODSEQ {modseq}") == [f"* SEARCH 2 (MODSEQ {modseq})"]


def test_a_reader_resynchronises_with_his_own_seen(
    ann: Person, bob: Person, make_person: MakePerson
) -> None:
    name = share(ann, bob, "lrste", messages=4)
    selected = "".join(bob.ok(f"SELECT {name}"))
    validity = selected.split("UIDVALIDITY ")[1].split("]")[0]
    modseq = selected.split("HIGHESTMODSEQ ")[1].split("]")[0]
    bob.ok("STORE 3 +FLAGS (\\Seen)")
    bob.ok("STORE 1 +FLAGS (\\Deleted)")
    bob.ok("EXPUNGE")
    for person, folder, seen in ((bob, name, "\\Seen"), (ann, "Team", "")):
        again = make_person(of=person)
        again.ok("ENABLE QRESYNC")
        news = again.ok(f"SELECT {folder} (QRESYNC ({validity} {modseq}))")
        assert "* VANISHED (EARLIER) 1" in news
        fetched = [line for line in news if " FETCH " in line]
        assert [("UID 3" in line, f"FLAGS ({seen})" in line) for line in fetched] == (
            [(True, True)] if seen else []
        )


def test_seen_goes_with_appends_copies_and_moves(ann: Person, bob: Person) -> None:
    name = share(ann, bob, "lrswite")
    other = share(ann, bob, "lrswite", folder="Other")
    bob.append(ann.shared("Team"), "(\\Seen \\Flagged)")
    bob.append(ann.shared("Team"), "(\\Answered)")
    bob.ok(f"SELECT {name}")
    assert bob.flags() == ["\\Seen \\Flagged", "\\Answered"]
    bob.ok(f"COPY 1:2 {other}")
    bob.ok(f"MOVE 1:2 {other}")
    bob.ok(f"SELECT {other}")
    assert bob.flags() == ["\\Seen \\Flagged", "\\Answered"] * 2
    ann.ok("SELECT Other")
    assert ann.flags() == ["\\Flagged", "\\Answered"] * 2
    ann.ok("STORE 2 +FLAGS (\\Seen)")
    bob.ok("MOVE 2 " + name)  # the owner has seen it, and so it stays
    ann.ok("SELECT Team")
    assert ann.flags() == ["\\Seen \\Answered"]


def test_mail_goes_from_one_owner_to_another(ann: Person, bob: Person) -> None:
    name = share(ann, bob, "lrswite", messages=1)
    bob.append("INBOX", "(\\Seen work)")
    bob.ok("SELECT INBOX")
    bob.ok(f"COPY 1 {name}")
    assert "STORAGE" not in bob.ok(f"STATUS {name} (MESSAGES UNSEEN)")[0]
    ann.ok("SELECT Team")
    assert ann.flags() == ["", "work"]
    assert "body" in "".join(ann.ok("FETCH 2 (ENVELOPE BODYSTRUCTURE BODY[TEXT])"))
    assert ann.ok("SEARCH SUBJECT hello") == ["* SEARCH 1 2"]
    bob.ok(f"SELECT {name}")
    assert bob.flags() == ["", "\\Seen work"]
    bob.ok("STORE 1 +FLAGS ($Forwarded)")
    moved = bob.ok("MOVE 1:2 INBOX")
    assert moved[-1] == "* VANISHED 1:2" or moved[-2:] == ["* 2 EXPUNGE", "* 1 EXPUNGE"]
    bob.ok("SELECT INBOX")
    assert bob.flags() == ["\\Seen work", "$Forwarded", "\\Seen work"]
    assert ann.ok("STATUS Team (MESSAGES)") == ["* STATUS Team (MESSAGES 0)"]


def test_mail_into_a_shared_folder_counts_for_its_owner(
    ann: Person, bob: Person, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    name = share(ann, bob, "lrsi")
    database.execute(
        "UPDATE accounts_mailbox SET quota_bytes = %s WHERE id = %s", [len(MESSAGE), ann.mailbox]
    )
    assert " OK " in bob.append(ann.shared("Team"))
    assert "OVERQUOTA" in bob.append(ann.shared("Team"))
    bob.append("INBOX")
    bob.ok("SELECT INBOX")
    assert bob.no(f"COPY 1 {name}") == "OVERQUOTA"


def test_rights_that_are_lost_while_the_folder_is_selected(ann: Person, bob: Person) -> None:
    name = share(ann, bob, "lrswte", messages=1)
    bob.ok(f"SELECT {name}")
    ann.ok(f"SETACL Team {bob.address} -w")
    told = bob.ok("NOOP")
    assert "* OK [PERMANENTFLAGS (\\Deleted \\Seen)] Flags that are kept" in told
    assert bob.no("STORE 1 +FLAGS (\\Flagged)") == "NOPERM"
    ann.ok(f"DELETEACL Team {bob.address}")
    bob.says.send(b"x FETCH 1 BODY[]\r\n")
    assert bob.says.response().startswith(b"* BYE")


def test_an_idling_reader_who_loses_the_folder_hears_it(ann: Person, bob: Person) -> None:
    name = share(ann, bob, "lr")
    bob.ok(f"SELECT {name}")
    bob.says.send(b"i IDLE\r\n")
    assert bob.says.response().startswith(b"+")
    ann.ok(f"DELETEACL Team {bob.address}")
    assert bob.says.response().startswith(b"* BYE")


def test_new_folders_have_the_rights_of_the_one_above(ann: Person, bob: Person) -> None:
    share(ann, bob, "lrk", folder="A")
    bob.ok(f'CREATE "{ann.shared("A/B/C")}"')
    ann.ok("CREATE A/D")
    for folder in ("A/B", "A/B/C", "A/D"):
        assert ann.ok(f"GETACL {folder}") == [
            f"* ACL {folder} {ann.address} lrswipkxtecda {bob.address} lrkc"
        ]
    assert bob.no(f'CREATE "{ann.shared("X")}"') == "NOPERM"
    assert bob.no(f'CREATE "{ann.shared("INBOX/X")}"') == "NOPERM"
    assert bob.no('CREATE "Shared/nobody@example.test/X"') == "NOPERM"


def test_renaming_keeps_rights_and_takes_x_and_k(ann: Person, bob: Person) -> None:
    share(ann, bob, "lrk", folder="A")
    share(ann, bob, "lrx", folder="B")
    old, new = f'"{ann.shared("B")}"', f'"{ann.shared("A/C")}"'
    assert bob.no(f'RENAME {old} "{ann.shared("D")}"') == "NOPERM"
    assert bob.no(f'RENAME "{ann.shared("A")}" {new}') == "NOPERM"
    assert bob.no(f"RENAME {old} Mine") == "CANNOT"
    bob.ok(f"RENAME {old} {new}")
    assert ann.ok("GETACL A/C") == [f"* ACL A/C {ann.address} lrswipkxtecda {bob.address} lrxc"]
    bob.ok(f"DELETE {new}")
    assert ann.no("GETACL A/C") == "NONEXISTENT"


def test_anyone_is_everybody_of_the_owners_domain(
    ann: Person, bob: Person, make_person: MakePerson, make_domain: MakeDomain
) -> None:
    stranger = make_person(domain=make_domain())
    name = share(ann, bob, "lrs")
    ann.ok("SETACL Team anyone lr")
    cid = make_person()
    cid.ok(f"SELECT {name}")
    assert cid.ok(f"MYRIGHTS {name}") == [f"* MYRIGHTS {ann.shared('Team')} lr"]
    assert bob.ok(f"MYRIGHTS {name}") == [f"* MYRIGHTS {ann.shared('Team')} lrs"]
    assert stranger.no(f"SELECT {name}") == "NONEXISTENT"
    ann.ok(f"SETACL Team -{bob.address} s")
    ann.ok("SETACL Team -anyone r")
    assert bob.ok(f"MYRIGHTS {name}") == [f"* MYRIGHTS {ann.shared('Team')} l"]
    assert cid.no(f"SELECT {name}") == "NOPERM"


def test_subscriptions_to_shared_folders_are_the_readers(ann: Person, bob: Person) -> None:
    name = share(ann, bob, "lr")
    bob.ok(f"SUBSCRIBE {name}")
    assert bob.ok('LSUB "" Shared/*') == [f'* LSUB (\\HasNoChildren) "/" {ann.shared("Team")}']
    assert not [line for line in ann.ok('LSUB "" *') if "Shared" in line]
    ann.ok(f"DELETEACL Team {bob.address}")
    assert bob.ok('LIST (SUBSCRIBED) "" Shared/*') == [
        f'* LIST (\\NonExistent \\Subscribed \\HasNoChildren) "/" {ann.shared("Team")}'
    ]
    bob.ok(f"UNSUBSCRIBE {name}")


def test_grants_go_with_their_user_and_folders_with_their_owner(
    ann: Person, bob: Person, make_person: MakePerson
) -> None:
    name = share(ann, bob, "lrs", messages=1)
    gone = make_person()
    ann.ok(f"SETACL Team {gone.address} lrs")
    gone.ok(f"SELECT {name}")
    gone.ok("STORE 1 +FLAGS (\\Seen)")
    removal.delete_user(User.objects.get(mailbox=gone.mailbox), keep_mail=False)
    assert gone.address not in ann.ok("GETACL Team")[0]
    removal.delete_user(User.objects.get(mailbox=ann.mailbox), keep_mail=True)
    assert bob.no(f"SELECT {name}") == "NONEXISTENT"
    assert bob.ok('LIST "" Shared/*') == []


def test_a_reader_who_works_long_does_not_stop_delivery_to_the_owner(
    ann: Person, bob: Person
) -> None:
    name = share(ann, bob, "lrswte", messages=1)
    bob.ok(f"SELECT {name}")
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            bob.ok("STORE 1 +FLAGS (\\Seen)")
            bob.ok("STORE 1 -FLAGS (\\Seen)")

    worker = threading.Thread(target=flip)
    worker.start()
    try:
        for _ in range(20):
            assert " OK " in ann.append("Team")
    finally:
        stop.set()
        worker.join()


@pytest.mark.parametrize(
    "command",
    [
        "SETACL {} bob lrX",
        "SETACL {} bob lrq",
        "SETACL {} bob lr5",
        "SETACL {} bob ++r",
        'SETACL {} "" lr',
        'DELETEACL {} "-"',
        'LISTRIGHTS {} "a\x01b"',
    ],
)
def test_bad_rights_and_identifiers_are_bad(ann: Person, command: str) -> None:
    assert " BAD " in ann.hear(command.format("INBOX"))[-1]


def test_the_owner_keeps_every_right(ann: Person, bob: Person) -> None:
    share(ann, bob, "lra")
    name = bob_name(ann, "Team")
    for change in ("lr", "-a", '""'):
        assert ann.no(f"SETACL Team {ann.address} {change}") == "CANNOT"
        assert bob.no(f"SETACL {name} {ann.address} {change}") == "CANNOT"
    assert ann.no(f"SETACL Team -{ann.address} a") == "CANNOT"
    assert ann.no(f"DELETEACL Team {ann.address}") == "CANNOT"
    ann.ok(f"SETACL Team {ann.address} lrswipkxtea")
    assert ann.no("SETACL Team nobody@example.test lr") == "CANNOT"


def test_imapclient_reads_and_changes_rights(ann: Person, bob: Person, imap: RunningServer) -> None:
    """It parses each response itself."""
    ann.ok('CREATE "Our Team"')
    with imapclient.IMAPClient("localhost", imap.port, ssl_context=imap.tls) as client:
        client.login(ann.address, PASSWORD)
        assert client.has_capability("ACL")
        client.setacl("Our Team", bob.address, "lrs")
        client.setacl("Our Team", bob.address, "+w")
        assert client.getacl("Our Team") == [
            (ann.address.encode(), b"lrswipkxtecda"),
            (bob.address.encode(), b"lrsw"),
        ]
        assert client.namespace().other == (("Shared/", "/"),)
    with imapclient.IMAPClient("localhost", imap.port, ssl_context=imap.tls) as client:
        client.login(bob.address, PASSWORD)
        [(flags, _, name)] = client.list_folders("Shared/")
        assert (flags, name) == ((b"\\HasNoChildren",), ann.shared("Our Team"))
        assert client.select_folder(name)[b"EXISTS"] == 0


def test_a_reader_is_notified_of_others_folders(ann: Person, bob: Person) -> None:
    """RFC 5465 over RFC 4314."""
    share(ann, bob, "lrs", messages=1)
    bob.ok("NOTIFY SET (SUBTREE Shared (MailboxName MessageNew MessageExpunge))")
    ann.append("Team")
    assert bob.says.response().startswith(f"* STATUS {ann.shared('Team')} (MESSAGES 2 ".encode())
    ann.ok("CREATE Second")
    ann.ok(f"SETACL Second {bob.address} lr")
    news = bob.says.response()
    assert news == f'* LIST (\\HasNoChildren) "/" {ann.shared("Second")}\r\n'.encode()


def test_a_folder_of_one_s_own_may_be_called_shared(ann: Person, bob: Person) -> None:
    share(ann, bob, "lr")
    bob.ok("CREATE Shared/notes")
    bob.append("Shared/notes")
    assert bob.ok('LIST "" Shared*') == [
        '* LIST (\\HasChildren) "/" Shared',
        '* LIST (\\HasNoChildren) "/" Shared/notes',
        f'* LIST (\\HasNoChildren) "/" {ann.shared("Team")}',
    ]
