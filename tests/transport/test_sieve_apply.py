"""manage.py sieve_apply on real mailboxes: what is filed where, what is never done, and that a second run does nothing."""

from collections.abc import Iterator
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command

from accounts.mailstore.consistency import check_mailbox
from accounts.mailstore.folders import create_folder, delete_folder, open_folder
from accounts.mailstore.reading import fetch
from accounts.mailstore.values import FolderId, MailboxId, NoSuchFolder, Uid, new_message
from accounts.models import User
from accounts.people import raw_connection
from routing.scripts.storage import activate_script, put_script
from tests.accounts.mailstore_messages import deliver, flags_in
from tests.factories import MakeUser
from transport.database_threads import connection_string
from transport.imap.mailbox_hints import mailbox_hint
from transport.notifier import CHANNEL
from transport.old_mail import running
from transport.old_mail.filing import Way, file
from transport.old_mail.folders import Place
from transport.old_mail.running import Done

Database = psycopg.Connection[tuple[Any, ...]]

FILING = b"""require ["fileinto"];
if header :contains "subject" "list" { fileinto "Lists"; }
elsif header :contains "subject" "junk" { discard; }
elsif header :contains "subject" "forward" { redirect "else@example.org"; }
elsif header :contains "subject" "two" { fileinto "Lists"; fileinto "Other"; }
elsif header :contains "subject" "both" { fileinto "Other"; keep; }
elsif header :contains "subject" "missing" { fileinto "Nowhere"; }
"""


@pytest.fixture
def user(make_user: MakeUser, database: Database) -> Iterator[User]:
    user = make_user()
    create_folder(database, owner(user), "Lists")
    create_folder(database, owner(user), "Other")
    yield user
    assert check_mailbox(database, owner(user)) == []


def owner(user: User) -> MailboxId:
    return MailboxId(user.mailbox.pk)


def activate(user: User, text: bytes, name: str = "mine") -> None:
    put_script(raw_connection(), owner(user), name, text)
    activate_script(raw_connection(), owner(user), name)


def put(database: Database, user: User, *subjects: str, **placement: Any) -> None:
    for subject in subjects:
        content = f"From: a@example.org\r\nSubject: {subject}\r\n\r\nx\r\n".encode()
        deliver(database, owner(user), message=new_message(content), **placement)


def subjects(database: Database, user: User, folder: str = "INBOX") -> list[str]:
    found = open_folder(database, owner(user), folder)
    uids = [Uid(uid) for uid in range(1, found.uid_next)]
    rows = fetch(database, owner(user), found.id, uids, ("header",))
    return [header.split(b"Subject: ")[1].split(b"\r\n")[0].decode() for _, header in rows]


def apply(user: User, *options: str) -> list[str]:
    """What it printed, without the space before."""
    out = StringIO()
    call_command("sieve_apply", str(user.address), *options, stdout=out)
    return [line.strip() for line in out.getvalue().splitlines()]


def test_old_mail_is_filed_and_a_second_run_changes_nothing(user: User, database: Database) -> None:
    put(database, user, "list 1", "plain", "junk", "two", "both", "list 2", "forward")
    activate(user, FILING)
    assert apply(user) == [
        f'7 messages of {user}, INBOX, through "mine"; this was done:',
        "2  filed into Lists",
        "2  left as they are",
        "1  copied into Lists",  # of two folders a message is copied into the first
        "1  copied into Other",
        "1  discarded: moved to Trash",
        "1  filed into Other",
        "Asked for by the script, and never done for old mail:",
        "1  redirect",
    ]
    assert subjects(database, user) == ["plain", "both", "forward"]
    assert sorted(subjects(database, user, "Lists")) == ["list 1", "list 2", "two"]
    assert sorted(subjects(database, user, "Other")) == ["both", "two"]
    assert subjects(database, user, "Trash") == ["junk"]
    before = states(database, user)
    again = apply(user)
    assert again[0].startswith("3 messages")
    assert again[1] == "2  left as they are"
    assert states(database, user) == before


def states(database: Database, user: User) -> list[Any]:
    return [
        open_folder(database, owner(user), name) for name in ("INBOX", "Lists", "Other", "Trash")
    ]


def test_a_dry_run_tells_the_same_and_changes_nothing(user: User, database: Database) -> None:
    put(database, user, "list 1", "plain", "junk", "two", "both", "list 2", "forward")
    delete_folder(database, owner(user), "Trash")
    activate(user, FILING)
    before = [open_folder(database, owner(user), name) for name in ("INBOX", "Lists", "Other")]
    would = apply(user, "--dry-run")
    assert would[0].endswith("this would be done:")
    assert [open_folder(database, owner(user), each.name) for each in before] == before
    assert apply(user)[1:] == would[1:]
    assert subjects(database, user, "Trash") == ["junk"]  # which was made again


def test_where_the_script_fails_a_message_stays_and_the_exit_code_is_1(
    user: User, database: Database
) -> None:
    put(database, user, "missing", "list")
    activate(user, FILING)
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("sieve_apply", str(user.address), stdout=out)
    assert ended.value.code == 1
    assert "1  there is no folder Nowhere" in out.getvalue()
    assert subjects(database, user) == ["missing"]
    activate(user, b"".join(b'redirect "u%d@example.org";' % number for number in range(5)))
    with pytest.raises(SystemExit):
        call_command("sieve_apply", str(user.address), stdout=out)
    assert "1  line 1, column 105: a message is redirected 4 times at most" in out.getvalue()
    assert subjects(database, user) == ["missing"]


def test_another_folder_and_another_script(user: User, database: Database) -> None:
    lists = open_folder(database, owner(user), "Lists")
    put(database, user, "list 1", "to the inbox", folder=lists.id)
    activate(user, b"discard;")
    put_script(
        raw_connection(), owner(user), "other",
        b'require "fileinto"; if header :contains "subject" "inbox" { fileinto "INBOX"; }',
    )  # fmt: skip
    assert apply(user, "--folder", "Lists", "--script", "other")[1:] == [
        "1  filed into INBOX",
        "1  left as they are",
    ]
    assert subjects(database, user) == ["to the inbox"]
    assert subjects(database, user, "Lists") == ["list 1"]
    put(database, user, "in trash", special_use="\\Trash")
    apply(user, "--folder", "Trash")  # to discard what is in Trash leaves it there
    assert subjects(database, user, "Trash") == ["in trash"]


@pytest.mark.parametrize(
    ("options", "text", "told"),
    [
        ((), None, "has no active script"),
        (("--script", "none"), b"keep;", "has no script none"),
        (("--folder", "None"), b"keep;", "has no folder None"),
        ((), b"kep;", "mine has 1 error."),
    ],
)
def test_refusals(user: User, options: tuple[str, ...], text: bytes | None, told: str) -> None:
    if text is not None:
        activate(user, text)
    with pytest.raises(CommandError) as refused:
        call_command("sieve_apply", str(user.address), *options, stderr=StringIO())
    assert told in str(refused.value)


def test_mail_is_gone_through_in_batches_and_a_stopped_run_is_taken_up(
    user: User, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(database, user, *(f"list {number}" for number in range(7)))
    activate(user, FILING)
    monkeypatch.setattr(running, "BATCH", 3)
    real = running.file
    calls: list[int] = []

    def stopped(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(running, "file", stopped)
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("sieve_apply", str(user.address), stdout=out)
    assert ended.value.code == 130
    assert "run it again" in out.getvalue()
    assert len(subjects(database, user, "Lists")) == 3
    assert apply(user)[1] == "4  filed into Lists"
    assert len(subjects(database, user, "Lists")) == 7


def test_a_terminal_is_shown_how_far_it_is(
    user: User, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    put(database, user, "a", "b", "c")
    activate(user, FILING)
    monkeypatch.setattr(running, "BATCH", 2)
    terminal = Terminal()
    call_command("sieve_apply", str(user.address), stdout=StringIO(), stderr=terminal)
    assert "] 2/3" in terminal.getvalue()
    assert f"[{'#' * 30}] 3/3" in terminal.getvalue()


def test_other_sessions_are_told_of_the_folders(user: User, database: Database) -> None:
    put(database, user, "list", "junk")
    delete_folder(database, owner(user), "Trash")
    activate(user, FILING)
    with psycopg.connect(connection_string(), autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        apply(user)
        heard = {
            int(number)
            for notice in listener.notifies(timeout=5, stop_after=1)
            for number in notice.payload.split(",")
        }
    changed = ["INBOX", "Lists", "Trash"]
    folders = {int(open_folder(database, owner(user), name).id) for name in changed}
    assert heard == folders | {mailbox_hint(owner(user))}


def test_flags_are_added_with_the_filing(user: User, database: Database) -> None:
    put(database, user, "a", flags=("\\Seen",))
    inbox = open_folder(database, owner(user), "INBOX")
    lists, other = (
        Place(open_folder(database, owner(user), name).id, name) for name in ("Lists", "Other")
    )
    way = Way(False, (), ((lists, ("$Work",)), (other, ("\\Flagged",))))
    file(database, owner(user), inbox.id, way, [Uid(1)])
    assert set(flags_in(database, owner(user), "Lists")[Uid(1)]) == {"\\Seen", "$Work"}
    assert set(flags_in(database, owner(user), "Other")[Uid(1)]) == {"\\Seen", "\\Flagged"}
    assert flags_in(database, owner(user)) == {}


def test_flags_and_copies_of_a_script(user: User, database: Database) -> None:
    put(database, user, "list", "other")
    text = b"""require ["fileinto", "copy", "imap4flags", "mailbox"];
if header :contains "subject" "list" { fileinto :copy :flags "$List" "Lists"; }
else { fileinto :create "New/Folder"; }
addflag "\\\\Flagged";
"""
    activate(user, text)
    assert apply(user, "--dry-run")[1:] == [
        "1  copied into Lists", "1  filed into New/Folder", "1  flagged \\Flagged",
    ]  # fmt: skip
    assert apply(user)[1:] == [
        "1  copied into Lists", "1  filed into New/Folder", "1  flagged \\Flagged",
    ]  # fmt: skip
    assert flags_in(database, owner(user)) == {1: ("\\Flagged",)}
    assert set(flags_in(database, owner(user), "Lists")[Uid(1)]) == {"\\Flagged", "$List"}
    assert subjects(database, user, "New/Folder") == ["other"]
    before = states(database, user)
    assert apply(user)[1:] == ["-  nothing"]
    assert states(database, user) == before


def test_flags_of_what_stays(user: User, database: Database) -> None:
    put(database, user, "a", "b")
    inbox = open_folder(database, owner(user), "INBOX")
    way = Way(True, ("\\Flagged",))
    assert file(database, owner(user), inbox.id, way, [Uid(2)]).counts == (
        ("flagged \\Flagged", 1),
    )
    assert file(database, owner(user), inbox.id, way, [Uid(2)]).counts == (
        ("flagged \\Flagged", 0),
    )
    assert flags_in(database, owner(user)) == {1: (), 2: ("\\Flagged",)}


def test_what_has_no_room_stays_whole(user: User, database: Database) -> None:
    put(database, user, "both", "list")
    database.execute("UPDATE accounts_mailbox SET quota_messages = 2 WHERE id = %s", [owner(user)])
    activate(user, FILING)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("sieve_apply", str(user.address), stdout=out)
    assert "1  there is no room for a copy" in out.getvalue()
    assert subjects(database, user) == ["both"]
    assert subjects(database, user, "Lists") == ["list"]


def test_large_messages_are_seen_whole(user: User, database: Database) -> None:
    content = b"Subject: large\r\n\r\n" + b"x" * 200_000 + b"\r\n"
    deliver(database, owner(user), message=new_message(content))
    activate(user, b'require "fileinto"; if size :over 199K { fileinto "Lists"; }')
    assert apply(user)[1] == "1  left as they are"
    activate(user, b'require "fileinto"; if size :over 190K { fileinto "Lists"; }')
    assert apply(user)[1] == "1  filed into Lists"


def test_a_message_that_a_client_took_away_is_no_error(user: User, database: Database) -> None:
    put(database, user, "a")
    inbox = open_folder(database, owner(user), "INBOX")
    lists = Place(open_folder(database, owner(user), "Lists").id, "Lists")
    filed = file(
        database, owner(user), inbox.id, Way(False, (), ((lists, ("x",)),)), [Uid(1), Uid(9)]
    )
    assert filed.counts == (("filed into Lists", 1),)
    gone = Place(FolderId(999_999_999), "gone")
    with pytest.raises(NoSuchFolder):
        file(database, owner(user), inbox.id, Way(False, (), ((lists, ()), (gone, ()))), [Uid(1)])


def test_names_out_of_messages_are_counted_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "DIFFERENT_MAXIMUM", 2)
    done = Done()
    for words in ("a", "b", "c", "d", "a"):
        done.fail(words)
    assert done.failed == {"a": 2, "b": 1, "and so on": 2}
