"""The admin's pages of sending limits: set, seen and reset."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.entries import UNLIMITED, Login
from accounts.models import SendingCount
from accounts.removal import delete_user
from accounts.sending import Charge, charge
from tests.accounts.test_admin import form_of, page, text
from tests.factories import PASSWORD


@pytest.fixture
def client(make_user: Any) -> Client:
    client = Client()
    client.force_login(make_user(is_admin=True))
    return client


def send(database: Any, user: Any, times: int, recipients: int = 1) -> None:
    from accounts.authentication import verify_password

    login = verify_password(database, user.address, PASSWORD, "192.0.2.1")
    assert isinstance(login, Login)
    for _ in range(times):
        charge(database, Charge(login, recipients, "192.0.2.1"))


@pytest.mark.parametrize("model", ["user", "app", "domain"])
def test_limits_are_set_inherited_and_taken_away(client, make_user, make_app, model) -> None:
    owner = {"user": make_user, "app": lambda: make_app().app, "domain": lambda: make_user().domain}
    found = owner[model]()
    address = page(model, "change", found.pk)
    data = form_of(client.get(address))
    assert data.get("messages_an_hour") in (None, "")
    for typed, kept in (("7", 7), ("Unlimited", UNLIMITED), ("", None)):
        response = client.post(address, data | {"messages_an_hour": typed}, follow=True)
        assert "was changed successfully" in text(response)
        found.refresh_from_db()
        assert found.messages_an_hour == kept
        shown = form_of(client.get(address)).get("messages_an_hour")
        assert shown in {7: (7,), UNLIMITED: ("unlimited",), None: (None, "")}[kept]


@pytest.mark.parametrize("typed", ["0", "-1", "many", "1.5", "9" * 20, str(UNLIMITED), "²"])
def test_what_is_no_limit_is_explained(client, make_user, typed) -> None:
    address = page("user", "change", make_user().pk)
    data = form_of(client.get(address))
    response = client.post(address, data | {"messages_a_day": typed})
    assert "Write a number from 1 on, or &quot;unlimited&quot;." in text(response)


def test_the_bars_show_what_was_sent_and_the_limit_that_holds(client, database, make_user) -> None:
    user = make_user()
    user.messages_an_hour, user.recipients_a_day = 4, UNLIMITED
    user.save()
    send(database, user, 3, recipients=5)
    for shown in (
        text(client.get(page("user", "change", user.pk))),
        text(client.get(page("sendingcount"), {"q": user.username})),
    ):
        assert "3 of 4 messages an hour" in shown
        assert "width: 75%" in shown
        assert "15 recipients a day, no limit" in shown
        assert "15 of 500 recipients an hour" in shown
    SendingCount.objects.filter(user=user).update(hour_began=timezone.now() - timedelta(hours=1))
    assert "0 of 4 messages an hour" in text(client.get(page("user", "change", user.pk)))


def test_who_is_kept_back_is_told_and_may_begin_anew(client, database, make_user) -> None:
    user, other = make_user(), make_user()
    for one in (user, other):
        send(database, one, 1)
    SendingCount.objects.filter(user=user).update(
        refused=2,
        refused_at=timezone.now(),
        refusal="200 messages an hour",
        full_until=timezone.now() + timedelta(minutes=5),
    )
    listed = text(client.get(page("sendingcount"), {"which": "now", "q": other.username}))
    assert other.address not in listed
    shown = text(client.get(page("sendingcount"), {"which": "now", "q": user.username}))
    assert user.address in shown
    assert "2 attempts: the limit is 200 messages an hour" in shown
    assert "192.0.2.1" in shown
    assert "kept back until" not in shown  # since the limit was raised
    user.messages_an_hour = 1
    user.save()
    assert "kept back until" in text(
        client.get(page("sendingcount"), {"which": "now", "q": user.username})
    )
    count = SendingCount.objects.get(user=user)
    data = {"action": "begin_anew", "_selected_action": [str(count.pk)]}
    assert "1 may send again." in text(client.post(page("sendingcount"), data, follow=True))
    assert not SendingCount.objects.filter(user=user).exists()
    reset = reverse("admin:accounts_user_begin_anew", args=[other.pk])
    assert "Begin anew" in text(client.get(reset))
    assert SendingCount.objects.filter(user=other).exists()
    assert "may send again" in text(client.post(reset, follow=True))
    assert not SendingCount.objects.filter(user=other).exists()


def test_an_account_that_has_sent_is_deleted_with_its_count(database, make_user) -> None:
    user = make_user()
    send(database, user, 1)
    key = user.pk
    delete_user(user, keep_mail=False)
    assert not SendingCount.objects.filter(user_id=key).exists()


def test_the_first_page_says_that_somebody_is_kept_back(client, database, make_user) -> None:
    user = make_user()
    send(database, user, 1)
    SendingCount.objects.filter(user=user).update(full_until=timezone.now() + timedelta(minutes=5))
    assert "reached a limit of sending" in text(client.get(reverse("admin:index")))


def test_a_stranger_resets_nothing(database, make_user) -> None:
    user = make_user()
    send(database, user, 1)
    Client().post(reverse("admin:accounts_user_begin_anew", args=[user.pk]))
    assert SendingCount.objects.filter(user=user).exists()
