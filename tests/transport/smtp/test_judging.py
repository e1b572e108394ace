"""Judged on port 25, over real sockets: where spam goes by its owners' thresholds, what the sender hears, what the trace tells."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from accounts.mailstore.folders import delete_folder, list_folders
from accounts.models import Mailbox
from routing.spam_models import scoring
from routing.spam_models.learning import learn
from tests.factories import PASSWORD, unique
from tests.routing.spam_models.conftest import make_message
from tests.transport.smtp.test_receiving import deliver
from tests.transport.smtp.test_recipients import until
from transport.outbound.routes import LOCAL_HOP

Database = psycopg.Connection[Any]
Folders = Callable[[Any], dict[str, list[bytes]]]
SPAM, HAM = make_message(501, True), make_message(500, False)


def letter(is_spam: bool) -> bytes:
    """A message that no other test sends."""
    return make_message(500, is_spam) + unique("x").encode() + b"\r\n"


@pytest.fixture
def taught(orm, make_domain, database) -> Any:
    """A domain whose users have taught what spam is."""
    domain = make_domain()
    mail = [(make_message(number, number % 2 == 0), number % 2 == 0) for number in range(120)]
    list(learn(database, domain.pk, mail))
    return domain


@pytest.fixture
def make_taught(taught, make_user, server, dialogue) -> Callable[..., Any]:
    """make_taught(**thresholds) -> a user of the taught domain"""

    def make(**settings: Any) -> Any:
        user = make_user(domain=taught)
        for name, value in settings.items():
            setattr(user, name, value)
        user.save()
        return user

    return make


def verdicts_of(database: Database, user: Any) -> list[tuple[str, str, Any]]:
    rows = database.execute(
        "SELECT result, reason, detail FROM trace_event WHERE step = 'verdict'"
        " AND recipient = %s ORDER BY id",
        (user.address,),
    )
    return [(row[0], row[1], row[2]) for row in rows.fetchall()]


def names(found: dict[str, list[bytes]]) -> dict[str, int]:
    return {name: len(messages) for name, messages in found.items()}


def test_spam_goes_into_spam_and_its_fields_and_the_trace_say_why(
    dialogue,
    make_taught,
    folders,
    database,
) -> None:
    user = make_taught()
    stranger = b"X-Spam-Status: No, score=-9.0 required=5.0\r\nX-Spam-Flag: NO\r\n"
    deliver(dialogue, "a@s.example", user.address, content=stranger + letter(True))
    deliver(dialogue, "a@s.example", user.address, content=letter(False))
    found = folders(user)
    assert names(found) == {"Spam": 1, "INBOX": 1}
    [spam] = found["Spam"]
    fields = spam.partition(b"Received: ")[0]
    assert fields.startswith(b"Return-Path: <a@s.example>\r\nDelivered-To: ")
    assert b"\r\nX-Spam-Status: Yes, score=" in fields
    assert b"\r\n\ttests=LEARNED=" in fields
    assert b"\r\nX-Spam-Flag: YES\r\nAuthentication-Results: mx.example.test;\r\n" in fields
    assert spam.index(stranger) > len(fields)  # below ours
    assert b"\r\nX-Spam-Status: No, score=" in found["INBOX"][0]
    assert b"X-Spam-Flag" not in found["INBOX"][0]
    first, second = verdicts_of(database, user)
    assert first[0] == "spam"
    assert first[1].startswith("spam: ")
    assert "5.0 are enough: LEARNED" in first[1]
    detail = first[2]
    assert detail["points"] == pytest.approx(detail["terms"]["LEARNED"], abs=0.01)
    assert (detail["threshold"], detail["refuse_at"]) == (5.0, None)
    assert 0 < len(detail["telling"]) <= 10
    assert second[0] == "ham"


def test_one_message_goes_three_ways_by_three_thresholds_in_one_transaction(
    dialogue,
    make_taught,
    folders,
    database,
) -> None:
    easy, usual, strict = (
        make_taught(spam_threshold=900.0),
        make_taught(),
        make_taught(spam_threshold=0.5, refuse_threshold=1.0),
    )
    users = (easy, usual, strict)
    reply = deliver(dialogue, "a@s.example", *(u.address for u in users), content=letter(True))
    assert reply.startswith("250 ")
    assert [names(folders(user)) for user in users] == [{"INBOX": 1}, {"Spam": 1}, {"Spam": 1}]
    stored = database.execute(
        "SELECT count(DISTINCT xmin::text), count(DISTINCT blob_id) FROM mail_message"
        " WHERE owner_id = ANY(%s)",
        ([user.mailbox.id for user in users],),
    ).fetchone()
    assert stored == (1, 1)
    assert [verdicts_of(database, user)[0][0] for user in users] == ["ham", "spam", "spam"]


def test_where_all_refuse_the_sender_hears_it_and_nothing_is_stored(
    dialogue,
    server,
    make_taught,
    folders,
    database,
) -> None:
    users = [make_taught(refuse_threshold=5.5) for _ in range(2)]
    reply = deliver(dialogue, "a@s.example", *(u.address for u in users), content=letter(True))
    assert reply.startswith("550 5.7.1 ")
    assert "spam" in reply
    assert [folders(user) for user in users] == [{}, {}]
    until(lambda: all(verdicts_of(database, user) for user in users))
    assert verdicts_of(database, users[0])[0][0] == "refused"
    assert deliver(dialogue, "a@s.example", users[0].address, content=letter(False)).startswith("2")


def test_a_postmaster_refuses_nothing(dialogue, make_taught, make_alias, folders) -> None:
    user = make_taught(refuse_threshold=5.5)
    alias = make_alias(user, "postmaster", user.domain)
    assert deliver(dialogue, "a@s.example", str(alias), content=letter(True)).startswith("250 ")
    assert names(folders(user)) == {"Spam": 1}


def test_a_spam_folder_that_is_missing_is_made(dialogue, make_taught, folders, database) -> None:
    user = make_taught()
    owner = user.mailbox.id
    for folder in list_folders(database, owner):
        if folder.special_use == "\\Junk":
            delete_folder(database, owner, folder.name)
    deliver(dialogue, "a@s.example", user.address, content=letter(True))
    assert names(folders(user)) == {"Spam": 1}
    [made] = [one for one in list_folders(database, owner) if one.name == "Spam"]
    assert made.special_use == "\\Junk"


def test_scripts_see_spam_where_their_owner_wants_it(
    dialogue,
    make_taught,
    script,
    folders,
) -> None:
    blind, seeing = make_taught(), make_taught(filter_spam_too=True)
    text = (
        'require ["fileinto", "mailbox", "spamtestplus", "relational", "comparator-i;ascii-numeric"];'
        'if allof (spamtest :percent :value "ge" :comparator "i;ascii-numeric" "50",'
        '  header :contains "X-Spam-Flag" "YES") { fileinto :create "Mine"; }'
    )
    for user in (blind, seeing):
        script(user, text)
    deliver(dialogue, "a@s.example", blind.address, seeing.address, content=letter(True))
    assert names(folders(blind)) == {"Spam": 1}
    assert names(folders(seeing)) == {"Mine": 1}
    deliver(dialogue, "a@s.example", blind.address, seeing.address, content=letter(False))
    assert names(folders(seeing)) == {"Mine": 1, "INBOX": 1}


def test_spam_leaves_for_nobody_and_answers_nobody(
    dialogue,
    make_taught,
    make_group,
    script,
    folders,
    queued,
    database,
) -> None:
    user = make_taught(filter_spam_too=True)
    outside = f"{unique('o')}@elsewhere.example"
    script(user, f'require "vacation"; redirect "{outside}"; vacation "Away.";')
    group = make_group(domain=user.domain, members=[user.address, outside])
    sender = f"{unique('s')}@s.example"
    assert deliver(dialogue, sender, group.address, content=letter(True)).startswith("250 ")
    assert names(folders(user)) == {"INBOX": 1}  # where its script sees to spam
    assert queued(outside) == queued(sender) == []
    [withheld] = database.execute(
        "SELECT reason FROM trace_event WHERE recipient = %s AND result = 'withheld'", (outside,)
    ).fetchall()
    assert withheld[0].startswith("spam: ")
    deliver(dialogue, sender, group.address, content=letter(False))
    assert len(queued(outside)) == 2  # by the group, by the script
    assert b"X-Spam" not in queued(outside)[0]["content"]


def test_spam_that_a_full_mailbox_gets_later_is_filed_in_spam(
    dialogue,
    make_taught,
    make_group,
    folders,
    queue,
    queued,
    database,
) -> None:
    full, other = make_taught(), make_taught()
    Mailbox.objects.filter(pk=full.mailbox.pk).update(quota_messages=0)
    group = make_group(domain=full.domain, members=[full.address, other.address])
    deliver(dialogue, "a@s.example", group.address, content=letter(True))
    assert (names(folders(full)), names(folders(other))) == ({}, {"Spam": 1})
    assert verdicts_of(database, full) == []  # told under the address that it came to
    assert [row["notify"] for row in queued(full.address)] == ["NEVER"]
    Mailbox.objects.filter(pk=full.mailbox.pk).update(quota_messages=None)
    queue.drain(LOCAL_HOP)
    [later] = folders(full).pop("Spam")
    assert later.count(b"X-Spam-Flag: YES") == 1


def test_nobody_is_told_that_spam_was_delivered(dialogue, make_taught, folders, queued) -> None:
    user, sender = make_taught(), f"{unique('s')}@s.example"
    for is_spam in (True, False):
        dialogue.say(f"MAIL FROM:<{sender}>")
        dialogue.say(f"RCPT TO:<{user.address}> NOTIFY=SUCCESS")
        dialogue.say("DATA")
        dialogue.send(letter(is_spam))
        assert dialogue.say(".").startswith("250 ")
        assert len(queued(sender)) == (0 if is_spam else 1)
    assert names(folders(user)) == {"Spam": 1, "INBOX": 1}


def test_what_users_submit_is_not_judged(server, make_taught, folders, database) -> None:
    user = make_taught()
    content = b"From: <" + user.address.encode() + b">\r\n" + letter(True).partition(b"\r\n")[2]
    with server.logged_in(user.address, PASSWORD) as client:
        client.sendmail(user.address, [user.address], content)
    [copy] = folders(user)["INBOX"]
    assert b"X-Spam" not in copy
    assert verdicts_of(database, user) == []


def test_a_classifier_that_fails_stops_no_mail(
    dialogue,
    make_taught,
    folders,
    database,
    monkeypatch,
) -> None:
    user = make_taught()

    def fail(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(scoring, "classify", fail)
    assert deliver(dialogue, "a@s.example", user.address, content=letter(True)).startswith("250 ")
    assert names(folders(user)) == {"INBOX": 1}
    assert "the classifier failed" in verdicts_of(database, user)[0][1]
