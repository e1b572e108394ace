"""Limits of sending: exact for many at once, only for what was taken, and told in the reply."""

import re
import smtplib
import threading
from collections.abc import Callable
from typing import Any

import pytest

from accounts.entries import UNLIMITED
from accounts.models import Domain, SendingCount, TraceEntry
from tests.factories import PASSWORD, unique
from tests.transport.smtp.conftest import Server
from tests.transport.smtp.test_recipients import until

Limited = Callable[..., Any]


@pytest.fixture
def limited(make_user: Any) -> Limited:
    """limited(messages_an_hour=3, ...) -> a user with these limits"""

    def make(**limits: int) -> Any:
        user = make_user()
        for name, value in limits.items():
            setattr(user, name, value)
        user.save()
        return user

    return make


def message(user: Any, text: str = "") -> bytes:
    return f"From: {user.address}\r\nSubject: {text or unique('s')}\r\n\r\nHello\r\n".encode()


def counts(user: Any) -> tuple[int, int, int, int]:
    one = SendingCount.objects.get(user=user)
    return one.hour_messages, one.hour_recipients, one.day_messages, one.day_recipients


def reply_to(client: smtplib.SMTP, user: Any, recipients: list[str]) -> str:
    """The last reply to a message."""
    code, text = client.mail(user.address)
    for recipient in recipients:
        if code == 250:
            code, text = client.rcpt(recipient)
    reply = _data(client, message(user)) if code == 250 else f"{code} {text.decode()}"
    client.rset()
    return reply


def _data(client: smtplib.SMTP, content: bytes) -> str:
    try:
        code, text = client.data(content)
    except smtplib.SMTPDataError as error:
        code, text = error.smtp_code, error.smtp_error
    return f"{code} {text.decode() if isinstance(text, bytes) else text}"


def test_messages_and_when_they_are_free_again(server: Server, limited: Limited) -> None:
    user = limited(messages_an_hour=2)
    with server.logged_in(user.address, PASSWORD) as client:
        for _ in range(2):
            assert reply_to(client, user, [user.address]).startswith("250")
        reply = reply_to(client, user, [user.address])
    began = SendingCount.objects.get(user=user).hour_began
    found = re.fullmatch(
        r"450 4\.7\.1 you may send 2 messages an hour: try again after (\S+) (\d\d:\d\d) UTC", reply
    )
    assert found is not None
    assert f"{began.hour + 1:02}:{began.minute:02}" <= found[2] or began.hour == 23
    assert counts(user) == (2, 2, 2, 2)


def test_recipients_are_refused_one_by_one_and_the_rest_is_sent(
    server: Server, limited: Limited, make_user: Any, stored: Any
) -> None:
    user = limited(recipients_a_day=3)
    others = [make_user(domain=user.domain) for _ in range(4)]
    with server.logged_in(user.address, PASSWORD) as client:
        refused = client.sendmail(user.address, [one.address for one in others], message(user))
        [(code, text)] = refused.values()
        assert (code, text[:36]) == (450, b"4.7.1 you may send to 3 recipients a")
        assert reply_to(client, user, [user.address]).startswith("450 4.7.1 you may send to 3 rec")
    assert [len(stored(one)) for one in others] == [1, 1, 1, 0]
    assert counts(user) == (1, 3, 1, 3)


def test_many_recipients_too_many_do_not_end_the_session(server: Server, limited: Limited) -> None:
    user = limited(recipients_an_hour=2)
    hop = f"{unique('h')}.example"
    with server.logged_in(user.address, PASSWORD) as client:
        refused = client.sendmail(user.address, [f"a{n}@{hop}" for n in range(60)], message(user))
        assert len(refused) == 58
        assert client.noop()[0] == 250
    assert counts(user) == (1, 2, 1, 2)


def test_eight_at_once_on_two_servers_do_not_pass_it(
    server: Server, run_server: Callable[..., Server], limited: Limited, queued: Any, stored: Any
) -> None:
    user = limited(messages_an_hour=11)
    hop = f"a@{unique('h')}.example"
    servers = [server, run_server()]
    begin = threading.Barrier(8)
    replies: list[str] = []

    def send(number: int) -> None:
        with servers[number % 2].logged_in(user.address, PASSWORD) as client:
            begin.wait()
            for _ in range(3):
                mail = f"{client.mail(user.address)[0]}"
                client.rcpt(hop if number % 4 else user.address)
                begin.wait(20)  # all have passed MAIL with the count as it was
                reply = _data(client, message(user))
                replies.append(mail if reply.startswith("503") else reply)
                client.rset()
                begin.wait(20)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = [reply for reply in replies if reply.startswith("250")]
    at_data = [reply for reply in replies if reply.startswith("450 4.7.1 you may send 11 messages")]
    assert len(taken) == 11
    assert len(at_data) == 5
    assert replies.count("450") == 8  # the last round was refused at MAIL
    assert counts(user) == (11, 11, 11, 11)
    assert len(queued(hop)) + len(stored(user)) == 11


def test_only_what_was_taken_counts(server: Server, limited: Limited) -> None:
    user = limited(messages_an_hour=1)
    foreign = b"From: somebody@elsewhere.example\r\n\r\nHello\r\n"
    with server.logged_in(user.address, PASSWORD) as client:
        with pytest.raises(smtplib.SMTPDataError):
            client.sendmail(user.address, [user.address], foreign)
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail(user.address, [f"nobody@{user.domain.name}"], message(user))
        assert not SendingCount.objects.filter(user=user).exists()
        same, replies = message(user), []
        for _ in range(2):  # the second time after the first 250 was heard: another message
            client.mail(user.address)
            client.rcpt(user.address)
            replies.append(_data(client, same)[:3])
    assert replies == ["250", "503"]
    assert counts(user) == (1, 1, 1, 1)


def test_a_full_mailbox_costs_nothing(server: Server, limited: Limited, database: Any) -> None:
    user = limited(messages_an_hour=1)
    with server.logged_in(user.address, PASSWORD) as client:
        client.mail(user.address)
        assert client.rcpt(user.address)[0] == 250
        database.execute(
            "UPDATE accounts_mailbox SET quota_messages = 0 WHERE id = %s", (user.mailbox.pk,)
        )
        assert _data(client, message(user)).startswith("452 4.2.2")
    assert not SendingCount.objects.filter(user=user).exists()


def test_an_hour_that_is_over_begins_anew_but_the_day_goes_on(
    server: Server, limited: Limited, database: Any
) -> None:
    user = limited(messages_an_hour=1, messages_a_day=2)
    with server.logged_in(user.address, PASSWORD) as client:
        assert reply_to(client, user, [user.address]).startswith("250")
        assert "1 messages an hour" in reply_to(client, user, [user.address])
        _age(database, user, "hour", "60 minutes")
        assert reply_to(client, user, [user.address]).startswith("250")
        assert counts(user) == (1, 1, 2, 2)
        assert "2 messages a day" in reply_to(client, user, [user.address])
        _age(database, user, "hour", "60 minutes")
        assert "2 messages a day" in reply_to(client, user, [user.address])
        _age(database, user, "day", "24 hours")
        assert reply_to(client, user, [user.address]).startswith("250")
    assert counts(user) == (1, 1, 1, 1)


def _age(database: Any, user: Any, window: str, interval: str) -> None:
    database.execute(
        f"UPDATE accounts_sendingcount SET {window}_began = {window}_began - interval '{interval}' WHERE user_id = %s",
        (user.pk,),
    )


def test_ones_own_limit_is_before_the_domains_and_that_before_the_installations(
    server: Server, limited: Limited, settings: Any
) -> None:
    settings.SENDING_LIMITS = (1, 100, 100, 100)
    user = limited()
    with server.logged_in(user.address, PASSWORD) as client:
        assert reply_to(client, user, [user.address]).startswith("250")
        assert "1 messages an hour" in reply_to(client, user, [user.address])
        Domain.objects.filter(pk=user.domain.pk).update(messages_an_hour=2)
        assert reply_to(client, user, [user.address]).startswith("250")
        assert "2 messages an hour" in reply_to(client, user, [user.address])
        user.messages_an_hour = UNLIMITED
        user.save()
        assert reply_to(client, user, [user.address]).startswith("250")
        user.messages_an_hour = 1  # lower than what was sent
        user.save()
        assert "1 messages an hour" in reply_to(client, user, [user.address])
    assert counts(user)[0] == 3


def test_apps_have_limits_of_their_own(server: Server, make_app: Any, make_user: Any) -> None:
    user = make_user()
    new = make_app(domain=user.domain)
    new.app.messages_an_hour = 1
    new.app.save()
    with server.logged_in(new.app.address, new.secret) as client:
        assert reply_to(client, new.app, [user.address]).startswith("250")
        assert reply_to(client, new.app, [user.address]).startswith("450 4.7.1 you may send 1 ")
    with server.logged_in(user.address, PASSWORD) as client:
        assert reply_to(client, user, [user.address]).startswith("250")
    assert SendingCount.objects.get(app=new.app).hour_messages == 1


def test_the_trace_and_the_count_say_why(server: Server, limited: Limited) -> None:
    user = limited(messages_an_hour=1)
    with server.logged_in(user.address, PASSWORD) as client:
        assert reply_to(client, user, [user.address]).startswith("250")
        for _ in range(3):
            assert reply_to(client, user, [user.address]).startswith("450")
    until(lambda: SendingCount.objects.get(user=user).refused == 3)
    count = SendingCount.objects.get(user=user)
    assert count.refusal == "1 messages an hour"
    assert count.clients == ["127.0.0.1"]
    assert count.full_until is not None
    assert count.full_until > count.hour_began
    events = TraceEntry.objects.filter(sender=user.address, step="mail", result="deferred")
    until(lambda: events.count() == 3)
    assert "1 messages an hour" in events[0].reason


def test_a_large_message_is_stored_and_charged(
    server: Server, limited: Limited, stored: Any
) -> None:
    user = limited(messages_an_hour=2)
    with server.logged_in(user.address, PASSWORD) as client:
        for _ in range(3):  # the first prepares the statements
            content = message(user) + (b"x" * 900 + b"\r\n") * 900
            client.mail(user.address)
            client.rcpt(user.address)
            _data(client, content)
            client.rset()
    assert [len(one) > 800_000 for one in stored(user)] == [True, True]
    assert counts(user) == (2, 2, 2, 2)
