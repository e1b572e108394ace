"""Scripts at delivery, over real sockets: what is filed where, what leaves, what the sender hears."""

import threading
import uuid
from email import message_from_bytes
from email.message import Message
from email.policy import SMTP
from typing import Any

import psycopg
import pytest

from accounts.addresses import parse_address
from accounts.mailstore.folders import create_folder
from routing.models import AddressList, GlobalScript
from routing.resolution import resolve
from tests.factories import PASSWORD, unique
from tests.transport.smtp.test_receiving import deliver
from tests.transport.smtp.test_submission import message_from

Database = psycopg.Connection[Any]


def mail(subject: str = "Hello", *fields: str, sender: str = "a@s.example") -> bytes:
    """A message that no other test sends."""
    lines = [f"From: {sender}", f"Subject: {subject}", f"Message-ID: <{uuid.uuid4()}@s.example>"]
    return "\r\n".join([*lines, *fields, "", "Text.", ""]).encode()


def outside() -> str:
    return f"bob@{unique('out')}.example"


def parsed(content: bytes) -> Message:
    return message_from_bytes(content, policy=SMTP)


def trace_of(database: Database, user: Any) -> list[tuple[str, str, Any]]:
    rows = database.execute(
        "SELECT result, reason, detail FROM trace_event WHERE step = 'sieve' AND recipient = %s"
        " ORDER BY id",
        (user.address,),
    )
    return [(row[0], row[1], row[2]) for row in rows.fetchall()]


# filing


def test_fileinto_files_and_the_trace_tells(dialogue, make_user, script, folders, database) -> None:
    user = make_user()
    create_folder(database, user.mailbox.id, "Work")
    script(user, 'require "fileinto"; if header :contains "subject" "x" { fileinto "Work"; }')
    deliver(dialogue, "a@s.example", user.address, content=mail("x"))
    deliver(dialogue, "a@s.example", user.address, content=mail("y"))
    found = folders(user)
    assert {name: len(messages) for name, messages in found.items()} == {"Work": 1, "INBOX": 1}
    assert found["Work"][0].startswith(b"Return-Path: <a@s.example>\r\nDelivered-To: ")
    first, second = trace_of(database, user)
    assert first[:2] == ("done", 'file into "Work"')
    assert second[1].startswith("implicit keep")


def test_one_copy_a_folder_however_often_it_is_named(
    dialogue, make_user, script, folders, database
) -> None:
    user = make_user()
    create_folder(database, user.mailbox.id, "Work")
    script(
        user,
        'require "fileinto"; fileinto "Work"; keep; fileinto "inbox"; fileinto "Work/"; keep;',
    )
    deliver(dialogue, "a@s.example", user.address, content=mail())
    assert {name: len(messages) for name, messages in folders(user).items()} == {
        "Work": 1,
        "INBOX": 1,
    }


def test_a_missing_folder_is_the_inbox_and_the_trace_says_so(
    dialogue, make_user, script, folders, database
) -> None:
    user = make_user()
    script(user, 'require "fileinto"; fileinto "Nowhere";')
    deliver(dialogue, "a@s.example", user.address, content=mail())
    assert list(folders(user)) == ["INBOX"]
    ((_, _, detail),) = trace_of(database, user)
    assert detail["notes"] == ["there is no folder 'Nowhere': into the inbox"]


def test_discard_is_answered_250_and_stores_nothing(
    dialogue, make_user, script, folders, database
) -> None:
    user = make_user()
    script(user, "discard;")
    assert deliver(dialogue, "a@s.example", user.address, content=mail()).startswith("250")
    assert folders(user) == {}
    assert trace_of(database, user)[0][1].startswith("discard")


def test_thirty_rules_and_a_group(dialogue, make_user, make_group, script, folders, database):
    user = make_user()
    other = make_user(domain=user.domain)
    group = make_group(domain=user.domain, members=[user.address, other.address])
    create_folder(database, user.mailbox.id, "List 29")
    rules = "\n".join(
        f'elsif header :contains ["subject", "list-id"] "list-{n:02}" {{ fileinto "List {n}"; stop; }}'
        for n in range(30)
    )
    script(user, f'require "fileinto";\nif false {{ }}\n{rules}')
    deliver(dialogue, "a@s.example", group.address, content=mail("about list-29"))
    assert list(folders(user)) == ["List 29"]
    assert list(folders(other)) == ["INBOX"]


def test_the_same_bytes_again_are_stored_once(server, make_user, script, folders) -> None:
    """The client never heard the 250: the same transaction again finds the first one, whatever the script says."""
    user = make_user()
    script(user, "keep;")
    content = mail()
    for _ in range(2):
        opened = server.dialogue()
        opened.say("EHLO x")
        assert deliver(opened, "a@s.example", user.address, content=content).startswith("250")
        opened.close()
    assert len(folders(user)["INBOX"]) == 1


def test_folders_are_made_and_found_and_flags_set(
    dialogue, make_user, script, folders, database
) -> None:
    user = make_user()
    script(
        user,
        """require ["fileinto", "imap4flags", "mailbox", "special-use", "copy"];
        fileinto :create :flags ["\\\\Seen", "done"] "New/Below";
        fileinto :specialuse "\\\\Junk" "No such name";
        fileinto "Spam";
        fileinto :create "Shared/x@y.example/z";
        """,
    )
    deliver(dialogue, "a@s.example", user.address, content=mail())
    assert {name: len(messages) for name, messages in folders(user).items()} == {
        "New/Below": 1,
        "Spam": 1,
        "INBOX": 1,
    }
    ((flags, keywords),) = database.execute(
        "SELECT e.flags & 31, f.keywords FROM mail_entry e"
        " JOIN mail_folder f ON (f.owner_id, f.id) = (e.owner_id, e.folder_id)"
        " WHERE f.owner_id = %s AND f.name = 'New/Below'",
        (user.mailbox.id,),
    ).fetchall()
    assert (flags, keywords) == (1, ["done"])
    ((_, _, detail),) = trace_of(database, user)
    assert detail["notes"] == ["there is no folder 'Shared/x@y.example/z': into the inbox"]


def test_an_edited_header_is_in_what_comes_after_it(
    dialogue, make_user, script, folders, database, queued
) -> None:
    user, plain, to = make_user(), make_user(), outside()
    create_folder(database, user.mailbox.id, "Before")
    script(
        user,
        f"""require ["fileinto", "editheader", "copy"];
        fileinto :copy "Before"; addheader "X-Tag" "one"; redirect :copy "{to}"; keep;""",
    )
    content = mail()
    deliver(dialogue, "a@s.example", user.address, plain.address, content=content)
    found = folders(user)
    assert b"X-Tag" not in found["Before"][0]
    assert b"\r\nX-Tag: one\r\n" in found["INBOX"][0]
    assert found["INBOX"][0].endswith(content)
    assert found["INBOX"][0].count(b"Received: from ") == 1
    assert b"\r\nX-Tag: one\r\n" in queued(to)[0]["content"]
    assert b"X-Tag" not in folders(plain)["INBOX"][0]
    envelopes = database.execute(
        "SELECT r.envelope FROM mail_rendered r WHERE r.owner_id = %s", (user.mailbox.id,)
    ).fetchall()
    assert len({bytes(row[0]) for row in envelopes}) == 1


# global scripts


@pytest.fixture
def global_script(orm: None):
    """global_script(place, text); all are gone after the test."""
    made = []

    def make(place: str, text: str) -> None:
        made.append(
            GlobalScript.objects.create(place=place, name=unique("g"), content=text.encode())
        )

    yield make
    for one in made:
        one.delete()


def test_global_scripts_run_before_and_after_while_the_keep_stands(
    dialogue, make_user, script, folders, database, global_script
) -> None:
    user, plain = make_user(), make_user()
    for owner in (user, plain):
        for name in ("Before", "Own", "After"):
            create_folder(database, owner.mailbox.id, name)
    global_script("before", f'require "fileinto"; {_when("before")} {{ fileinto "Before"; }}')
    global_script("after", f'require "fileinto"; {_when("after")} {{ fileinto "After"; }}')
    script(user, f'require "fileinto"; {_when("own")} {{ fileinto "Own"; }}')
    deliver(dialogue, "a@s.example", user.address, content=mail("own before after " + MARK))
    deliver(dialogue, "a@s.example", user.address, content=mail("own after " + MARK))
    deliver(dialogue, "a@s.example", user.address, content=mail("after " + MARK))
    deliver(dialogue, "a@s.example", plain.address, content=mail("own " + MARK))
    assert {name: len(messages) for name, messages in folders(user).items()} == {
        "Before": 1,
        "Own": 1,
        "After": 1,
    }
    assert list(folders(plain)) == ["INBOX"]


MARK = uuid.uuid4().hex  # a global script sees the mail of every test that runs meanwhile


def _when(word: str) -> str:
    return f'if allof(header :contains "subject" "{MARK}", header :contains "subject" "{word}")'


# redirect


def test_redirect_goes_out_with_srs_and_the_bytes_as_they_came(
    dialogue, make_user, script, folders, queued
) -> None:
    user, to = make_user(), outside()
    script(user, f'redirect "{to}";')
    content = mail()
    deliver(dialogue, "a@s.example", user.address, content=content)
    assert folders(user) == {}
    (row,) = queued(to)
    assert row["reverse_path"].startswith("srs0=")
    assert row["reverse_path"].endswith(f"@{user.domain.name}")
    assert row["content"].endswith(content)
    header = row["content"][: -len(content)]
    own = f"X-Sieve-Redirected-From: {user.address}\r\nAuthentication-Results: mx.example.test;"
    assert header.startswith(own.encode())
    assert b"\r\nReceived: from " in header
    # a bounce to it goes back to who sent the message
    deliver(dialogue, "", row["reverse_path"], content=mail("bounce"))
    assert queued("a@s.example")[-1]["reverse_path"] == ""


def test_a_redirect_reaches_the_next_server_byte_for_byte(
    dialogue, make_user, script, queue
) -> None:
    user = make_user()
    to = f"bob@{queue.hop}"
    script(user, f'redirect "{to}";')
    content = mail("8 bit: ").replace(b"Text.", "Grüße \t ..".encode() + b"\r\n..dots\r\n \r\n")
    deliver(dialogue, "a@s.example", user.address, content=content.replace(b"\r\n.", b"\r\n.."))
    queue.drain()
    (message,) = queue.peer.wait_for_messages(1)
    assert message.forward_paths == [to]
    assert message.reverse_path.startswith("srs0=")
    assert message.content.endswith(content)


def test_null_stays_null_when_redirected(dialogue, make_user, script, queued) -> None:
    user, to = make_user(), outside()
    script(user, f'redirect "{to}";')
    deliver(dialogue, "", user.address, content=mail())
    assert [row["reverse_path"] for row in queued(to)] == [""]


def test_a_message_that_comes_back_is_kept(
    dialogue, make_user, script, folders, queued, database
) -> None:
    user, to = make_user(), outside()
    script(user, f'redirect "{to}";')
    content = mail("Hello", f"X-Sieve-Redirected-From: {user.address.upper()}")
    deliver(dialogue, "a@s.example", user.address, content=content)
    assert queued(to) == []
    assert list(folders(user)) == ["INBOX"]
    assert "came back" in trace_of(database, user)[0][2]["notes"][0]


def test_two_users_who_redirect_to_each_other_end(
    dialogue, make_user, script, folders, queue
) -> None:
    first = make_user()
    second = make_user(domain=first.domain)
    script(first, f'redirect "{second.address}";')
    script(second, f'redirect "{first.address}";')
    content = mail()
    deliver(dialogue, "a@s.example", first.address, content=content)
    for _ in range(4):
        queue.drain("local:")
    assert folders(second) == {}
    (kept,) = folders(first)["INBOX"]
    assert kept.endswith(content)
    assert kept.startswith(b"Return-Path: <a@s.example>\r\n")
    assert kept.count(b"X-Sieve-Redirected-From: ") == 2


def test_a_redirect_of_ones_own_mail_is_signed_and_keeps_its_sender(
    server, make_user, script, queued
) -> None:
    ann = make_user()
    bob, to = make_user(domain=ann.domain), outside()
    script(bob, f'redirect "{to}";')
    with server.logged_in(ann.address, PASSWORD) as client:
        client.sendmail(ann.address, [bob.address], message_from(ann.address))
    (row,) = queued(to)
    assert row["reverse_path"] == ann.address
    assert b"DKIM-Signature: " in row["content"]


@pytest.mark.parametrize(
    "edit",
    [
        'replace :from "{ann}" "Please pay.";',
        'replace "Please pay.";',
        'deleteheader "from"; addheader "From" "{ann}";',
        'addheader "Sender" "{ann}";',
    ],
)
def test_what_a_script_wrote_goes_on_in_no_other_users_name(
    server, make_user, script, queued, folders, edit
) -> None:
    ann = make_user()
    bob, to = make_user(), outside()
    edits = edit.replace("{ann}", ann.address)
    script(bob, f'require ["replace", "editheader"]; {edits} redirect "{to}"; keep;')
    with server.logged_in(ann.address, PASSWORD) as client:
        client.sendmail(ann.address, [bob.address], message_from(ann.address))
    (row,) = queued(to)
    assert b"Please pay." not in row["content"]
    assert b"Sender:" not in row["content"]
    assert row["content"].count(b"DKIM-Signature: ") == 1
    assert len(folders(bob)["INBOX"]) == 1


def test_what_a_script_wrote_is_not_signed_for_the_sender(
    server, make_user, script, queued
) -> None:
    ann = make_user()
    bob, to = make_user(), outside()
    edits = f'deleteheader "from"; addheader "From" "{bob.address}"; addheader "X-Tag" "y";'
    script(bob, f'require "editheader"; {edits} redirect "{to}";')
    with server.logged_in(ann.address, PASSWORD) as client:
        client.sendmail(ann.address, [bob.address], message_from(ann.address))
    (row,) = queued(to)
    assert b"X-Tag: y\r\n" in row["content"]
    assert b"DKIM-Signature: " not in row["content"]
    assert row["reverse_path"].endswith(f"@{bob.domain.name}")  # and SPF is the owner's


def test_a_redirect_to_a_list_of_ones_own(dialogue, make_user, script, queued, orm) -> None:
    user, first, second = make_user(), outside(), outside()
    AddressList.objects.create(
        mailbox=user.mailbox, name=":addrbook:default", members=f"{first}\n{second}\n"
    )
    script(user, 'require "extlists"; redirect :list ":addrbook:default";')
    deliver(dialogue, "a@s.example", user.address, content=mail())
    assert len(queued(first)) == len(queued(second)) == 1


# refusals


REJECT = 'require "reject"; reject "Not here.\r\nTry elsewhere.";'
EREJECT = 'require "ereject"; ereject "No birdseed.";'


@pytest.mark.parametrize("text", [REJECT, EREJECT])
def test_a_refusal_by_all_is_a_550(dialogue, make_user, script, folders, queued, text) -> None:
    user, other, sender = make_user(), make_user(), outside()
    for one in (user, other):
        script(one, text)
    reply = deliver(dialogue, sender, user.address, other.address, content=mail())
    assert [line[:9] for line in reply.split("\n")][-1] == "550 5.7.1"
    assert (reply == "550-5.7.1 Not here.\n550 5.7.1 Try elsewhere.") == (text == REJECT)
    assert folders(user) == folders(other) == {}
    assert queued(sender) == []


def test_a_reject_among_others_is_told_by_an_mdn(
    dialogue, make_user, script, folders, queued
) -> None:
    user, other, sender = make_user(), make_user(), outside()
    script(user, REJECT)
    content = mail()
    assert deliver(dialogue, sender, other.address, user.address, content=content).startswith("250")
    assert folders(user) == {}
    assert len(folders(other)["INBOX"]) == 1
    (row,) = queued(sender)
    assert (row["reverse_path"], row["notify"]) == ("", "NEVER")
    told = parsed(row["content"])
    assert told.get_content_type() == "multipart/report"
    assert told.get_param("report-type") == "disposition-notification"
    assert "DKIM-Signature" in told
    words, notification, returned = told.get_payload()
    assert "Not here.\r\nTry elsewhere." in words.get_content()
    fields = notification.get_payload()[0] if notification.is_multipart() else notification
    assert "automatic-action/MDN-sent-automatically; deleted" in fields.as_string()
    assert returned.get_content_type() == "text/rfc822-headers"
    assert b"Text." not in row["content"]


def test_an_ereject_among_others_is_told_by_a_dsn(dialogue, make_user, script, queued) -> None:
    user, other, sender = make_user(), make_user(), outside()
    script(user, EREJECT)
    assert deliver(dialogue, sender, user.address, other.address, content=mail()).startswith("250")
    (row,) = queued(sender)
    told = parsed(row["content"])
    assert told.get_param("report-type") == "delivery-status"
    assert "No birdseed." in told.get_payload()[0].get_content()
    assert b"Action: failed" in row["content"]


def test_a_reject_in_other_letters_is_told_by_mail(
    dialogue, make_user, script, folders, queued
) -> None:
    """An SMTP reply is ASCII: `reject` keeps its exact text, `ereject` its 550 (RFC 5429 §2.1.1, §2.2)."""
    user, sender = make_user(), outside()
    script(user, 'require "reject"; reject "Grüße, nein.";')
    assert deliver(dialogue, sender, user.address, content=mail()).startswith("250")
    (row,) = queued(sender)
    assert "Grüße, nein." in parsed(row["content"]).get_payload()[0].get_content()
    script(user, 'require "ereject"; ereject "Grüße, nein.";')
    assert deliver(dialogue, sender, user.address, content=mail()).startswith("550 5.7.1 the ")


def test_nobody_is_told_of_a_bounce_that_one_refuses(
    dialogue, make_user, make_group, script, folders, queued
) -> None:
    user, other = make_user(), make_user()
    group = make_group(members=[user.address, other.address])
    script(user, REJECT)
    assert deliver(dialogue, "", group.address, content=mail()).startswith("250")
    assert queued("") == []
    assert list(folders(user)) == ["INBOX"]


# memories


VACATION = 'require "vacation"; vacation :days 1 "I am away.";'


def test_vacation_answers_a_sender_once(
    dialogue, make_user, script, folders, queued, database
) -> None:
    user, sender = make_user(), outside()
    script(user, VACATION)
    content = mail("Question", f"To: {user.address}", sender=sender)
    for number in range(3):
        deliver(dialogue, sender, user.address, content=content + str(number).encode() + b"\r\n")
    assert len(folders(user)["INBOX"]) == 3
    (row,) = queued(sender)
    assert (row["reverse_path"], row["notify"]) == ("", "NEVER")
    answer = parsed(row["content"])
    original = parsed(content)
    assert answer["Auto-Submitted"].startswith("auto-replied")
    assert answer["Subject"] == "Auto: Question"
    assert answer["From"] == user.address
    assert answer["In-Reply-To"] == answer["References"] == original["Message-ID"]
    assert answer.get_content() == "I am away.\r\n"
    assert "DKIM-Signature" in answer
    database.execute(
        "UPDATE routing_memory SET expires_at = now() WHERE mailbox_id = %s", (user.mailbox.id,)
    )
    deliver(dialogue, sender, user.address, content=content + b"later\r\n")
    assert len(queued(sender)) == 2


@pytest.mark.parametrize(
    ("sender", "fields"),
    [
        ("", ()),
        ("a@{}", ("List-Id: <l.s.example>",)),
        ("a@{}", ("Auto-Submitted: auto-replied",)),
        ("a@{}", ("Precedence: bulk",)),
        ("owner-list@{}", ()),
        ("a@{}", ("To: somebody@else.example",)),
    ],
)
def test_vacation_answers_no_lists_no_machines_no_strangers(
    dialogue, make_user, script, queued, sender, fields
) -> None:
    user = make_user()
    script(user, VACATION)
    sender = sender.format(f"{unique('out')}.example")
    to = () if any(field.startswith("To:") for field in fields) else (f"To: {user.address}",)
    deliver(dialogue, sender, user.address, content=mail("Hello", *fields, *to))
    assert queued(sender) == []


def test_a_vacation_answer_is_copied_and_a_notification_sent(
    dialogue, make_user, script, folders, queued, database
) -> None:
    user, sender, pager = make_user(), outside(), outside()
    create_folder(database, user.mailbox.id, "Answers")
    script(
        user,
        f"""require ["vacation", "fcc", "enotify", "imap4flags"];
        vacation :fcc "Answers" :flags "\\\\Seen" :from "Ann <{user.address}>" "Away.";
        notify :message "Mail!" "mailto:{pager}?body=Look";""",
    )
    deliver(dialogue, sender, user.address, content=mail("Q", f"To: {user.address}", sender=sender))
    (answer,) = queued(sender)
    (copy,) = folders(user)["Answers"]
    assert answer["content"].endswith(copy)
    assert parsed(copy)["From"] == f"Ann <{user.address}>"
    (note,) = queued(pager)
    assert note["reverse_path"] == user.address
    assert parsed(note["content"])["Subject"] == "Mail!"
    assert parsed(note["content"])["Auto-Submitted"].startswith("auto-notified; owner-email=")
    # for a bounce: from nobody, as RFC 5436 §2.7 wants it
    deliver(dialogue, "", user.address, content=mail("bounce"))
    assert [row["reverse_path"] for row in queued(pager)] == [user.address, ""]


def test_nobody_answers_for_a_group_and_an_alias_does(
    dialogue, make_user, make_group, make_alias, script, queued
) -> None:
    user, sender = make_user(), outside()
    script(user, VACATION)
    group = make_group(domain=user.domain, members=[user.address])
    to_group = mail("Q", f"To: {group.address}", sender=sender)
    deliver(dialogue, sender, group.address, content=to_group)
    assert queued(sender) == []
    alias = f"{make_alias(user).local_part}@{user.domain.name}"
    deliver(dialogue, sender, alias, content=mail("Q", f"Cc: {alias}", sender=sender))
    (row,) = queued(sender)
    assert parsed(row["content"])["From"] == alias


DUPLICATE = 'require ["duplicate", "fileinto"]; if duplicate { fileinto "Trash"; }'


def test_a_duplicate_at_the_same_time_is_found_by_exactly_one(
    server, make_user, script, folders
) -> None:
    user = make_user()
    script(user, DUPLICATE)
    content = mail()
    count = 6
    barrier = threading.Barrier(count)
    replies = []

    def send(number: int) -> None:
        opened = server.dialogue()
        opened.say("EHLO x")
        barrier.wait(20)
        body = content + str(number).encode() + b"\r\n"
        replies.append(deliver(opened, "a@s.example", user.address, content=body))
        opened.close()

    threads = [threading.Thread(target=send, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [reply[:3] for reply in replies] == ["250"] * count
    assert {name: len(messages) for name, messages in folders(user).items()} == {
        "INBOX": 1,
        "Trash": count - 1,
    }


# failures


def test_a_runtime_error_keeps_and_tells_the_owner_once(
    dialogue, make_user, script, folders, database
) -> None:
    user = make_user()
    to = [outside() for _ in range(5)]
    redirects = "\n".join(f'redirect "{one}";' for one in to)
    script(user, redirects)
    contents = [mail() for _ in range(2)]
    for content in contents:
        deliver(dialogue, "a@s.example", user.address, content=content)
    messages = folders(user)["INBOX"]
    assert len(messages) == 3
    (notice,) = [one for one in messages if not one.endswith(tuple(contents))]
    assert 'Your mail filter "main" failed' in parsed(notice)["Subject"]
    assert b"line 5, column 1: " in notice
    assert [result for result, *_ in trace_of(database, user)] == ["failed", "failed"]
    script(user, redirects + "\n# another version")
    deliver(dialogue, "a@s.example", user.address, content=mail())
    assert len(folders(user)["INBOX"]) == 5


def test_a_script_that_does_not_compile_keeps_and_tells(
    dialogue, make_user, script, folders, queued
) -> None:
    user, to = make_user(), outside()
    script(user, f'redirect "{to}";\nnonsense;')
    deliver(dialogue, "a@s.example", user.address, content=mail())
    assert queued(to) == []
    assert any(b"line 2, column 1: " in one for one in folders(user)["INBOX"])


# the queue's local repeats


def test_a_copy_that_the_queue_repeats_goes_through_the_script(
    dialogue, make_user, script, folders, database, queue
) -> None:
    full = make_user()
    other = make_user(domain=full.domain)
    create_folder(database, full.mailbox.id, "Work")
    script(full, 'require "fileinto"; fileinto "Work";')
    database.execute(
        "UPDATE accounts_mailbox SET quota_bytes = 1 WHERE id = %s", (full.mailbox.id,)
    )
    assert deliver(dialogue, "a@s.example", full.address, other.address, content=mail()).startswith(
        "250"
    )
    assert folders(full) == {}
    database.execute(
        "UPDATE accounts_mailbox SET quota_bytes = NULL WHERE id = %s", (full.mailbox.id,)
    )
    queue.drain("local:")
    assert list(folders(full)) == ["Work"]


def test_a_mailbox_without_scripts_takes_no_more_round_trips(
    dialogue, make_user, script, database
) -> None:
    user = make_user()
    reached: Any = resolve(database, parse_address(user.address), is_bounce=False)
    assert [one.is_filtered for one in reached.mailboxes] == [False]
    script(user, "keep;")
    reached = resolve(database, parse_address(user.address), is_bounce=False)
    assert [one.is_filtered for one in reached.mailboxes] == [True]
