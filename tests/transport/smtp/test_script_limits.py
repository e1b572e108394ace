"""What filters send by themselves is bounded too: above the limit the mail stays, and nobody is answered."""

import threading
from typing import Any

import pytest

from accounts.entries import UNLIMITED
from accounts.models import SendingCount
from tests.factories import PASSWORD, unique
from tests.transport.smtp.test_receiving import deliver


@pytest.fixture
def limited(make_user: Any) -> Any:
    user = make_user()
    user.messages_an_hour = 2
    user.save()
    return user


def mail() -> bytes:
    return f"From: a@s.example\r\nTo: b@r.example\r\nSubject: {unique('s')}\r\n\r\nx\r\n".encode()


def count(user: Any) -> SendingCount:
    return SendingCount.objects.get(user=user, by_scripts=True)


def test_what_may_not_be_redirected_is_kept(
    dialogue, limited, script, folders, queued, database
) -> None:
    friend = f"friend@{unique('h')}.example"
    script(limited, f'redirect "{friend}";')
    for _ in range(4):
        assert deliver(dialogue, "a@s.example", limited.address, content=mail())[:3] == "250"
    assert len(queued(friend)) == 2
    assert len(folders(limited)["INBOX"]) == 2
    counted = count(limited)
    assert (counted.hour_messages, counted.hour_recipients, counted.refused) == (2, 2, 2)
    assert counted.refusal == "2 messages an hour"
    notes = database.execute(
        "SELECT detail->'notes' FROM trace_event WHERE recipient = %s AND step = 'sieve' ORDER BY id DESC LIMIT 1",
        (limited.address,),
    ).fetchone()[0]
    assert notes == ["nothing is sent, and the message kept: scripts may send 2 messages an hour"]


def test_a_full_count_of_filters_keeps_no_user_from_sending(
    dialogue, server, limited, script, queued
) -> None:
    friend = f"friend@{unique('h')}.example"
    script(limited, f'redirect "{friend}";')
    for _ in range(3):
        deliver(dialogue, "a@s.example", limited.address, content=mail())
    with server.logged_in(limited.address, PASSWORD) as client:
        for _ in range(2):
            content = mail().replace(b"a@s.example", limited.address.encode())
            assert client.sendmail(limited.address, [f"x@{unique('h')}.example"], content) == {}
    own = SendingCount.objects.get(user=limited, by_scripts=False)
    assert own.hour_messages == 2


def test_an_answer_that_was_held_back_is_given_later(
    dialogue, limited, script, folders, queued, database
) -> None:
    script(limited, 'require "vacation"; vacation "Away";')
    senders = [f"{unique('a')}@{unique('h')}.example" for _ in range(3)]
    contents = [mail().replace(b"b@r.example", limited.address.encode()) for _ in senders]
    for sender, content in zip(senders, contents, strict=True):
        assert deliver(dialogue, sender, limited.address, content=content)[:3] == "250"
    assert [len(queued(sender)) for sender in senders] == [1, 1, 0]
    assert len(folders(limited)["INBOX"]) == 3
    limited.messages_an_hour = UNLIMITED
    limited.save()
    deliver(dialogue, senders[2], limited.address, content=contents[2] + b"more\r\n")
    assert len(queued(senders[2])) == 1


def test_many_at_once_do_not_pass_it(server, limited, script, folders, queued) -> None:
    friend = f"friend@{unique('h')}.example"
    script(limited, f'redirect "{friend}";')
    begin = threading.Barrier(6)
    replies: list[str] = []

    def send() -> None:
        dialogue = server.dialogue()
        dialogue.say("EHLO x")
        begin.wait(20)
        replies.append(deliver(dialogue, "a@s.example", limited.address, content=mail())[:3])
        dialogue.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == ["250"] * 6
    assert len(queued(friend)) == 2
    assert len(folders(limited)["INBOX"]) == 4
