"""What the models say of mail, once they have learned enough, to each mailbox."""

from collections.abc import Callable

import psycopg
import pytest

from accounts.mailstore.values import MailboxId
from accounts.models import User
from routing.spam.classifier import Classified, Counts
from routing.spam_models import remembered, scoring
from routing.spam_models.learning import keys_of_content, learn
from routing.spam_models.models_of import models_of
from routing.spam_models.scoring import score_content
from routing.spam_models.voting import Vote, vote
from tests.factories import MakeDomain, MakeUser
from tests.round_trips import counted

Database = psycopg.Connection
Message = Callable[[int, bool], bytes]
SPAM, HAM = True, False


@pytest.fixture(autouse=True)
def nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "_remembered", remembered.Remembered())
    monkeypatch.setattr(remembered, "MODELS_SECONDS", 0)


def box(user: User) -> MailboxId:
    return MailboxId(user.mailbox.pk)


def points(db: Database, content: bytes, user: User) -> float:
    found = score_content(db, content, [box(user)])[box(user)]
    assert isinstance(found, Classified)
    return found.points


def test_nothing_is_said_until_fifty_of_each_were_learned(
    database: Database, make_user: MakeUser, message: Message
) -> None:
    user = make_user()
    mail = [(message(number, number % 2 == 0), number % 2 == 0) for number in range(100)]
    list(learn(database, user.domain_id, mail[:99]))
    assert score_content(database, message(500, SPAM), [box(user)]) == {box(user): None}
    list(learn(database, user.domain_id, mail[99:]))
    assert points(database, message(500, SPAM), user) > 5
    assert points(database, message(501, HAM), user) < 0


def test_each_domain_has_its_own_opinion(
    database: Database, make_user: MakeUser, message: Message
) -> None:
    usual, odd, fresh = (make_user() for _ in range(3))
    for user, opinion in ((usual, SPAM), (odd, HAM)):
        mail = [(message(n, n % 2 == 0), (n % 2 == 0) is opinion) for n in range(100)]
        list(learn(database, user.domain_id, mail))
    found = score_content(database, message(500, SPAM), [box(one) for one in (usual, odd, fresh)])
    assert found[box(fresh)] is None
    first, second = found[box(usual)], found[box(odd)]
    assert first
    assert second
    assert first.points > 5 > 0 > second.points
    assert first.telling


def test_a_user_who_taught_enough_has_an_own_opinion(
    database: Database, make_domain: MakeDomain, make_user: MakeUser, message: Message
) -> None:
    domain = make_domain()
    odd, other = make_user(domain=domain), make_user(domain=domain)
    list(learn(database, domain.pk, [(message(n, n % 2 == 0), n % 2 == 0) for n in range(200)]))
    models = models_of(database, box(odd))
    assert models
    votes = {
        f"{n}".encode(): Vote(n % 2 == 1, keys_of_content(message(1000 + n, n % 2 == 0)))
        for n in range(60)
    }
    with database.transaction():
        vote(database, models, votes)
    content = message(5000, SPAM)
    assert points(database, content, other) > points(database, content, odd)
    assert points(database, content, odd) < 5


def test_what_was_learned_since_is_seen(
    database: Database, make_user: MakeUser, message: Message
) -> None:
    user = make_user()
    mail = [(message(n, n % 2 == 0), n % 2 == 0) for n in range(120)]
    list(learn(database, user.domain_id, mail))
    assert points(database, message(500, SPAM), user) > 5
    list(learn(database, user.domain_id, [(content, not is_spam) for content, is_spam in mail]))
    assert points(database, message(500, SPAM), user) < 0


def test_a_message_to_many_takes_two_queries_and_its_like_none(
    database: Database,
    make_domain: MakeDomain,
    make_user: MakeUser,
    message: Message,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(remembered, "MODELS_SECONDS", 60)
    users = [make_user() for _ in range(3)]
    for user in users:
        mail = [(message(n, n % 2 == 0), n % 2 == 0) for n in range(100)]
        list(learn(database, user.domain_id, mail))
    boxes = [box(user) for user in users]
    score_content(database, message(501, HAM), boxes[:1])  # prepares both
    with counted(database) as trips:
        first = score_content(database, message(500, SPAM), boxes)
    assert trips == [2]
    with counted(database) as trips:
        assert score_content(database, message(500, SPAM), boxes) == first
    assert trips == [0]


def test_too_many_tokens_are_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "TOKENS_MAXIMUM", 10)
    memory = remembered.Remembered()
    models = [remembered.Model(n, None, n) for n in (1, 2)]
    for model in models:
        memory.keep_counts(model, dict.fromkeys(range(6), False))
    assert memory.counts(models[0], range(6)) == [None] * 6
    assert memory.counts(models[1], range(6)) == [False] * 6


def test_what_is_remembered_of_a_model_goes_when_it_was_trained() -> None:
    memory = remembered.Remembered()
    old, new = (remembered.Model(1, None, when) for when in (1, 2))
    memory.keep_counts(old, {7: False})
    assert memory.counts(new, [7]) == [None]
    memory.keep_counts(new, {7: Counts(1, 0)})
    assert memory.counts(old, [7]) == [Counts(1, 0)], "who still knows the old one drops nothing"
