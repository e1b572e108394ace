"""The admin's pages of spam: what was learned, why a message has its score, what another threshold would do."""

import html
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.test import Client
from django.urls import reverse

from accounts.journal.trace import TraceEvent, write_trace
from accounts.mailstore.append import append_message
from accounts.mailstore.values import MailboxId, Placement, new_message
from accounts.models import User
from routing.spam_models import remembered
from routing.spam_models.learning import learn
from routing.spam_models.models_of import models_of
from tests.factories import MakeUser, unique

Database = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def client(make_user: MakeUser) -> Client:
    """An administrator's browser."""
    client = Client()
    client.force_login(make_user(is_admin=True))
    return client


@pytest.fixture
def user(make_user: MakeUser, monkeypatch: pytest.MonkeyPatch) -> User:
    monkeypatch.setattr(remembered, "MODELS_SECONDS", 0)
    return make_user()


def text(client: Client, page: str, **query: Any) -> str:
    """What the page says, without its tags."""
    response = client.get(reverse(f"admin:{page}"), query)
    assert response.status_code == 200, response
    body = response.content.decode().partition('id="content"')[2]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", body)))


def message(number: int, *, is_spam: bool) -> bytes:
    words = "cheap pills" if is_spam else "minutes agenda"
    return (
        f"From: w{number}@s.example\r\nSubject: {words}\r\n\r\n{words} secretword{number}\r\n"
    ).encode()


def teach(db: Database, user: User, count: int) -> None:
    mail = [(message(n, is_spam=s), s) for n in range(count) for s in (True, False)]
    list(learn(db, user.domain_id, mail))


def verdict(db: Database, recipient: str, points: float, result: str, **detail: Any) -> str:
    trace_id = unique("t")
    detail = {"points": points, "threshold": 5.0, "terms": {"DNSBL": points}} | detail
    reason = f"{result}: {points} points"
    event = TraceEvent(trace_id, "verdict", result, reason, "a@s.example", recipient, detail=detail)
    write_trace(db, [event])
    return trace_id


@pytest.fixture
def recipients(database: Database) -> Iterator[str]:
    domain = f"@{unique('d')}.example"
    yield domain
    database.execute("DELETE FROM trace_event WHERE recipient LIKE %s", (f"%{domain}",))


def test_a_domain_shows_how_far_it_has_come(client: Client, database: Database, user: User) -> None:
    name = user.domain.name
    shown = text(client, "routing_spammodel_changelist", q=name)
    assert f"{name} domain 0 0" in shown
    assert "spam 0 of 50 ham 0 of 50" in shown
    teach(database, user, 20)
    assert "spam 20 of 50 ham 20 of 50" in text(client, "routing_spammodel_changelist", q=name)
    teach(database, user, 60)
    shown = text(client, "routing_spammodel_changelist", q=name)
    assert f"{name} domain 60 60 yes" in shown


def test_domains_stand_before_users(client: Client, database: Database, user: User) -> None:
    models_of(database, MailboxId(user.mailbox.pk))
    shown = text(client, "routing_spammodel_changelist", q=user.domain.name)
    assert shown.index(f"{user.domain.name} domain") < shown.index(f"{user.address} user")


def test_a_verdict_is_explained_by_its_trace_id(
    client: Client, database: Database, recipients: str
) -> None:
    trace_id = verdict(
        database,
        f"bob{recipients}",
        7.5,
        "spam",
        terms={"BAYES": 4.5, "DNSBL": 3.0, "SPF_PASS": -0.5},
        telling=[["subject:pills", 2.25], ["minutes", -1.5]],
        notes=["spamd did not answer"],
    )
    shown = text(client, "routing_spam_why", trace=trace_id)
    for part in (f"bob{recipients}", "BAYES 4.50", "SPF_PASS -0.50", "spamd did not answer"):
        assert part in shown
    assert "pills Subject 2.25" in shown
    assert "minutes text -1.50" in shown


def test_an_unknown_trace_id_says_so(client: Client) -> None:
    assert "holds no verdict" in text(client, "routing_spam_why", trace="nothing")


def test_a_stored_message_is_explained_without_its_text(
    client: Client, database: Database, user: User, recipients: str
) -> None:
    teach(database, user, 60)
    trace_id = verdict(database, user.address, 1.0, "ham")
    prefix = f"Received: from h\r\n\tby x with ESMTP id {trace_id}\r\n\tfor y; now\r\n".encode()
    place = Placement(MailboxId(user.mailbox.pk), prefix=prefix)
    [stored] = append_message(
        database, new_message(message(999, is_spam=True)), [place], cause="smtp"
    )
    shown = text(client, "routing_spam_why", mailbox=user.address, uid=stored.uid)
    assert "60 spam and 60 ham" in shown
    assert re.search(r"cheap pills text [\d.]+ 60 0", shown)
    assert "secretword999" not in shown
    assert "ham: 1.0 points" in shown, "the verdict is found by the Received field"


def test_a_domain_that_has_not_learned_says_nothing(
    client: Client, database: Database, user: User
) -> None:
    place = Placement(MailboxId(user.mailbox.pk))
    [stored] = append_message(
        database, new_message(message(1, is_spam=True)), [place], cause="smtp"
    )
    shown = text(client, "routing_spam_why", mailbox=user.address, message=stored.uid)
    assert "has not learned enough" in shown


@pytest.mark.parametrize(
    "query",
    [
        {"mailbox": "nobody@nowhere.example"},
        {"mailbox": "\0", "uid": "x", "message": "y", "folder": "z"},
        {"trace": "\0"},
    ],
)
def test_nonsense_is_answered(client: Client, query: dict[str, str]) -> None:
    assert text(client, "routing_spam_why", **query)


def test_a_message_that_is_not_there(client: Client, user: User) -> None:
    shown = text(client, "routing_spam_why", mailbox=user.address, uid=77)
    assert "no such message" in shown


def test_what_another_threshold_would_change(
    client: Client, database: Database, recipients: str
) -> None:
    for points, result in ((-2.0, "ham"), (4.2, "ham"), (6.0, "spam"), (9.0, "spam")):
        verdict(database, f"bob{recipients}", points, result)
    verdict(database, f"dmarc{recipients}", 1.0, "spam")  # filed for another reason
    verdict(database, f"virus{recipients}", 4.4, "refused")
    verdict(database, f"old{recipients}", 4.4, "ham", threshold="x")
    shown = text(client, "routing_spam_what_if", threshold="4", recipient=recipients)
    assert "Of the last 7 messages, 3 are spam now and 4 would be at 4.0 points" in shown
    assert re.search(rf"bob{recipients} 4\.2 ham spam why", shown)
    assert "1 would be filed otherwise" in shown
    shown = text(client, "routing_spam_what_if", threshold="7", recipient=f"bob{recipients}")
    assert "Of the last 4 messages, 2 are spam now and 1 would be at 7.0 points" in shown
    assert re.search(rf"bob{recipients} 6\.0 spam ham why", shown)


def test_only_administrators_see_the_pages(make_user: MakeUser) -> None:
    client = Client()
    client.force_login(make_user())
    for page in ("routing_spammodel_changelist", "routing_spam_why", "routing_spam_what_if"):
        assert client.get(reverse(f"admin:{page}")).status_code == 302
