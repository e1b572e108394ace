"""What is remembered of recipients, and what makes it forgotten."""

import time
from collections.abc import Callable

import pytest

from accounts.addresses import Address
from accounts.models import Address as AddressRow
from accounts.models import Domain, Mailbox, SrsAddress
from routing.models import Script
from tests.factories import PASSWORD, unique
from transport.smtp.recipients import CHANNEL, Recipients

SECONDS = 10


def until(condition: Callable[[], object]) -> None:
    """A change is heard of within milliseconds, at no moment that can be awaited from here."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def rcpt(dialogue, address: str) -> str:
    dialogue.say_all("RSET", "MAIL FROM:<a@s.example>")
    return dialogue.say(f"RCPT TO:<{address}>")


@pytest.fixture
def remembered(server, dialogue):
    """remembered(user) -> whom RCPT has found, once the server remembers it."""

    def find(user):
        address = Address(*user.address.split("@"))

        def known():
            rcpt(dialogue, user.address)
            return server.service.recipients.find(address, is_bounce=False)

        until(known)
        return server.service.recipients.find(address, is_bounce=False)

    return find


def test_a_recipient_is_looked_up_once(
    server, dialogue, remembered, make_user, monkeypatch
) -> None:
    user = make_user()
    (mailbox,) = remembered(user).mailboxes
    assert mailbox.id == user.mailbox.id
    monkeypatch.delattr("transport.smtp.recipients.admit_recipient")
    assert rcpt(dialogue, user.address).startswith("250 ")
    dialogue.say("RSET")
    dialogue.say("MAIL FROM:<>")
    assert dialogue.say(f"RCPT TO:<{user.address}>").startswith(
        "451 "
    )  # a bounce is another question


def deactivate(user) -> None:
    user.is_active = False
    user.save()


def take_address(user) -> None:
    AddressRow.objects.filter(user=user).delete()


def close_domain(user) -> None:
    user.domain.mail_enabled = False
    user.domain.save()


def limit(user) -> None:
    Mailbox.objects.filter(user=user).update(quota_messages=0)


@pytest.mark.parametrize(
    ("change", "code"),
    [(deactivate, "550 5.2.1"), (take_address, "550 5.1.1"), (close_domain, "550"), (limit, "452")],
)
def test_a_change_is_heard_of(dialogue, remembered, make_user, orm, change, code) -> None:
    user = make_user()
    remembered(user)
    change(user)
    until(lambda: rcpt(dialogue, user.address).startswith(code))


def test_a_script_is_heard_of(dialogue, server, remembered, make_user, orm) -> None:
    user = make_user()
    assert not remembered(user).mailboxes[0].is_filtered
    Script.objects.create(mailbox=user.mailbox, name="s", content=b"keep;", is_active=True)
    until(lambda: remembered(user).mailboxes[0].is_filtered)


def test_a_threshold_of_spam_is_heard_of(dialogue, remembered, make_user, orm) -> None:
    user = make_user()
    assert remembered(user).mailboxes[0].spam.spam_threshold == 5.0
    user.spam_threshold = 2.5
    user.save()
    until(lambda: remembered(user).mailboxes[0].spam.spam_threshold == 2.5)


def test_who_is_near_a_limit_is_not_remembered(server, dialogue, make_user, orm) -> None:
    user = make_user()
    Mailbox.objects.filter(user=user).update(quota_bytes=100_000)
    for _ in range(3):
        assert rcpt(dialogue, user.address).startswith("250 ")
    address = Address(*user.address.split("@"))
    assert server.service.recipients.find(address, is_bounce=False) is None


def test_an_srs_address_is_not_remembered(dialogue, remembered, make_user, orm) -> None:
    user = make_user()
    remembered(user)
    token = unique("t")
    SrsAddress.objects.create(token=token, domain=user.domain, reverse_path=user.address)
    answers = []
    for _ in range(2):
        dialogue.say_all("RSET", "MAIL FROM:<>")
        answers.append(dialogue.say(f"RCPT TO:<srs0={token}@{user.domain.name}>")[:3])
        SrsAddress.objects.filter(token=token).delete()
    assert answers == ["250", "550"]


def test_that_a_domain_is_not_ours_is_no_leave_to_relay(server, dialogue, make_user, orm) -> None:
    user = make_user()
    domain = f"{unique('d')}.example"
    elsewhere = Address("x", domain)
    with server.logged_in(user.address, PASSWORD) as client:

        def known():
            client.rset()
            client.mail(user.address)
            assert client.rcpt(f"x@{domain}")[0] == 250
            return server.service.recipients.find(elsewhere, is_bounce=False)

        until(known)
        assert rcpt(dialogue, f"x@{domain}").startswith("550 5.7.1")
        Domain.objects.create(name=domain, mail_enabled=True)
        until(
            lambda: (
                client.rset() and client.mail(user.address) and client.rcpt(f"x@{domain}")[0] == 550
            )
        )


def test_a_delivery_is_not_told_of(server, make_user, database) -> None:
    user = make_user()
    database.execute(f"LISTEN {CHANNEL}")
    with server.client() as client:
        client.sendmail("a@s.example", [user.address], b"Subject: x\r\n\r\n")
    database.execute("SELECT pg_notify(%s, 'the end')", [CHANNEL])
    told = database.notifies(timeout=SECONDS, stop_after=1)
    assert [notice.payload for notice in told] == ["the end"]


def test_nothing_is_remembered_unless_changes_are_heard() -> None:
    recipients = Recipients()
    recipients.remember(Address("a", "b"), object(), is_bounce=False, changes=0)
    assert recipients.find(Address("a", "b"), is_bounce=False) is None
    recipients._is_hearing = True
    recipients.remember(Address("a", "b"), object(), is_bounce=False, changes=-1)
    assert recipients.find(Address("a", "b"), is_bounce=False) is None
    recipients.remember(Address("a", "b"), object(), is_bounce=False, changes=0)
    assert recipients.find(Address("a", "b"), is_bounce=False) is not None
    recipients._end()
    assert recipients.find(Address("a", "b"), is_bounce=False) is None
