"""A message is learned as it was judged: what stands in the mailbox has the tokens of what port 25 was given."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.mailstore.values import MailboxId
from routing.spam.tokens import tokens_of
from routing.spam_models import scoring
from routing.spam_models.learning import learn
from tests.routing.spam_models.conftest import make_message
from tests.transport.smtp.test_receiving import deliver
from transport.smtp import judgement


@pytest.fixture
def user(make_domain, make_user, database):
    domain = make_domain()
    mail = [(make_message(number, number % 2 == 0), number % 2 == 0) for number in range(120)]
    list(learn(database, domain.pk, mail))
    return make_user(domain=domain)


def test_what_is_stored_has_the_tokens_that_were_judged(
    dialogue, user, folders, monkeypatch
) -> None:
    judged: list[bytes] = []

    def score(db, content, mailboxes):
        judged.append(content)
        return scoring.score_content(db, content, mailboxes)

    monkeypatch.setattr(judgement, "score_content", score)
    deliver(dialogue, "a@s.example", user.address, content=make_message(500, True))
    [stored] = folders(user)["Spam"]
    assert len(judged) == 1
    assert stored.endswith(judged[0][-40:])
    assert tokens_of(stored) == tokens_of(judged[0])


def test_the_admin_explains_it_with_the_points_that_it_got(
    dialogue, user, folders, database, make_user
) -> None:
    deliver(dialogue, "a@s.example", user.address, content=make_message(500, True))
    [stored] = folders(user)["Spam"]
    owner = MailboxId(user.mailbox.pk)
    now = scoring.score_content(database, stored, [owner])[owner]
    assert now is not None
    admin = Client()
    admin.force_login(make_user(is_admin=True))
    query = {"mailbox": user.address, "folder": "Spam", "uid": 1}
    page = admin.get(reverse("admin:routing_spam_why"), query).content.decode()
    assert f"{now.points:.1f}</span>" in " ".join(page.split())
    assert "As it was judged" in page
    assert f'LEARNED</td><td class="number spam-is">{now.points:.2f}<' in page
