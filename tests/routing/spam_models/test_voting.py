"""Learning and unlearning leave the counts exactly as if only the last votes had been learned."""

import random
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import psycopg
import pytest

from accounts.mailstore.values import MailboxId
from accounts.models import Domain, User
from routing.spam_models import voting
from routing.spam_models.learning import Learned, learn
from routing.spam_models.models_of import Models, domain_model, models_of
from routing.spam_models.voting import Vote, teach, vote
from tests.factories import MakeDomain, MakeUser

Database = psycopg.Connection[tuple[Any, ...]]
Counts = dict[int, tuple[int, int]]
SPAM, HAM = True, False


def counts(db: Database, model: int) -> Counts:
    """After a look whether they are the sum of what the model knows."""
    tokens: dict[bool, Counter[int]] = {SPAM: Counter(), HAM: Counter()}
    messages: Counter[bool] = Counter()
    for is_spam, keys in db.execute(
        "SELECT is_spam, keys FROM routing_spam_learned WHERE model_id = %s AND is_spam IS NOT NULL",
        (model,),
    ):
        tokens[is_spam].update(keys)
        messages[is_spam] += 1
    found = {
        key: (spam, ham)
        for key, spam, ham in db.execute(
            "SELECT key, spam, ham FROM routing_spam_token WHERE model_id = %s", (model,)
        )
    }
    assert found == {
        key: (tokens[SPAM][key], tokens[HAM][key]) for key in tokens[SPAM] | tokens[HAM]
    }
    totals = db.execute("SELECT spam, ham FROM routing_spam_model WHERE id = %s", (model,))
    assert totals.fetchone() == (messages[SPAM], messages[HAM])
    return found


@pytest.fixture
def models(database: Database, make_user: MakeUser) -> Models:
    return of(database, make_user())


def of(db: Database, user: User) -> Models:
    found = models_of(db, MailboxId(user.mailbox.pk))
    assert found is not None
    return found


def say(
    db: Database, models: Models, name: str, is_spam: bool, *keys: int, is_answer: bool = False
) -> int:
    with db.transaction():
        one = {sha256(name.encode()).digest(): Vote(is_spam, keys, is_answer)}
        return len(vote(db, models, one))


def test_learning_twice_counts_once(database: Database, models: Models) -> None:
    assert say(database, models, "a", SPAM, 1, 2) == 1
    assert say(database, models, "a", SPAM, 1, 2, 3) == 0
    for model in (models.personal, models.domain):
        assert counts(database, model) == {1: (1, 0), 2: (1, 0)}


def test_spam_then_ham_leaves_only_ham_with_another_tokeniser(
    database: Database, models: Models
) -> None:
    say(database, models, "a", SPAM, 1, 2)
    say(database, models, "a", HAM, 2, 3)
    for model in (models.personal, models.domain):
        assert counts(database, model) == {2: (0, 1), 3: (0, 1)}


def test_an_answer_gives_way_to_what_was_said(database: Database, models: Models) -> None:
    assert say(database, models, "a", SPAM, 1) == 1
    assert say(database, models, "a", HAM, 1, is_answer=True) == 0
    assert say(database, models, "b", HAM, 2, is_answer=True) == 1
    assert say(database, models, "b", SPAM, 2) == 1
    assert counts(database, models.personal) == {1: (1, 0), 2: (1, 0)}


def test_the_domain_counts_a_message_once_as_most_say(
    database: Database, make_domain: MakeDomain, make_user: MakeUser
) -> None:
    domain = make_domain()
    one, two, three = (of(database, make_user(domain=domain)) for _ in range(3))
    say(database, one, "a", SPAM, 1)
    say(database, two, "a", SPAM, 1)
    assert counts(database, one.domain) == {1: (1, 0)}
    say(database, three, "a", HAM, 1)
    assert counts(database, one.domain) == {1: (1, 0)}
    say(database, two, "a", HAM, 1)
    assert counts(database, one.domain) == {1: (0, 1)}
    say(database, three, "a", SPAM, 1)
    say(database, one, "a", HAM, 1)
    assert counts(database, one.domain) == {1: (0, 1)}
    assert counts(database, three.personal) == {1: (1, 0)}


def test_a_message_in_dispute_is_not_counted_and_leaves_no_row(
    database: Database, make_domain: MakeDomain, make_user: MakeUser
) -> None:
    domain = make_domain()
    one, two = (of(database, make_user(domain=domain)) for _ in range(2))
    say(database, one, "a", SPAM, 1)
    say(database, two, "a", HAM, 1)
    assert counts(database, one.domain) == {}
    rows = database.execute(
        "SELECT count(*) FROM routing_spam_learned WHERE model_id = %s", (one.domain,)
    )
    assert rows.fetchone() == (0,)
    say(database, one, "a", HAM, 1)
    assert counts(database, one.domain) == {1: (0, 1)}


def test_the_administrator_has_a_vote_in_the_domain(database: Database, models: Models) -> None:
    digest = sha256(b"a").digest()
    with database.transaction():
        assert teach(database, models.domain, {digest: Vote(HAM, [1])})
        assert not teach(database, models.domain, {digest: Vote(HAM, [1])})
    say(database, models, "a", SPAM, 1)
    assert counts(database, models.domain) == {}
    with database.transaction():
        assert teach(database, models.domain, {digest: Vote(SPAM, [1])})
    assert counts(database, models.domain) == {1: (1, 0)}


def test_votes_go_with_a_user_into_another_domain(
    database: Database, make_domain: MakeDomain, make_user: MakeUser
) -> None:
    user = make_user()
    before = of(database, user)
    say(database, before, "a", SPAM, 1)
    user.domain = make_domain()
    user.save()
    after = of(database, user)
    assert after.personal == before.personal
    say(database, after, "a", HAM, 1)
    assert counts(database, before.domain) == {}
    assert counts(database, after.domain) == {1: (0, 1)}


def test_a_model_forgets_its_oldest_messages_exactly(
    database: Database, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voting, "PERSONAL_MESSAGES", 2)
    say(database, models, "ham", HAM, 1, 2)
    for number in range(4):
        say(database, models, f"spam {number}", SPAM, 1, 10 + number)
    left = {1: (2, 1), 2: (0, 1), 12: (1, 0), 13: (1, 0)}
    assert counts(database, models.personal) == counts(database, models.domain) == left
    say(database, models, "spam 0", HAM, 1, 10)
    assert counts(database, models.domain)[10] == (0, 1)


def test_what_others_taught_stays_when_a_user_forgets(
    database: Database,
    make_domain: MakeDomain,
    make_user: MakeUser,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(voting, "PERSONAL_MESSAGES", 2)
    domain = make_domain()
    one, other = (of(database, make_user(domain=domain)) for _ in range(2))
    say(database, other, "spam 0", SPAM, 10)
    say(database, other, "spam 1", HAM, 11)
    for number in range(4):
        say(database, one, f"spam {number}", SPAM, 10 + number)
    assert counts(database, one.domain) == {10: (1, 0), 11: (0, 1), 12: (1, 0), 13: (1, 0)}


def test_a_domain_forgets_its_oldest_messages_exactly(
    database: Database, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voting, "DOMAIN_MESSAGES", 2)
    for number in range(4):
        say(database, models, f"spam {number}", SPAM, 1, 10 + number)
    assert counts(database, models.domain) == {1: (2, 0), 12: (1, 0), 13: (1, 0)}
    say(database, models, "spam 0", HAM, 1, 10)
    assert counts(database, models.domain)[10] == (0, 1)


def test_any_votes_in_any_order_leave_what_the_last_of_each_user_say(
    database: Database, make_domain: MakeDomain, make_user: MakeUser
) -> None:
    chance = random.Random(5)
    domain = make_domain()
    users = [of(database, make_user(domain=domain)) for _ in range(3)]
    said = [
        (chance.randrange(3), f"message {chance.randrange(6)}", chance.random() < 0.5)
        for _ in range(60)
    ]
    last = {(user, name): is_spam for user, name, is_spam in said}
    for user, name, is_spam in said:
        say(database, users[user], name, is_spam, *_keys(name))
    balance: Counter[str] = Counter()
    for (_, name), is_spam in last.items():
        balance[name] += 1 if is_spam else -1
    expected: Counter[tuple[int, bool]] = Counter()
    for name, sum_ in balance.items():
        if sum_:
            expected.update((key, sum_ > 0) for key in _keys(name))
    assert counts(database, users[0].domain) == {
        key: (expected[key, SPAM], expected[key, HAM]) for key, _ in expected
    }


def _keys(name: str) -> list[int]:
    return random.Random(name).sample(range(20), 8)


def test_a_collection_is_learned_once(
    database: Database, make_domain: MakeDomain, message: Callable[[int, bool], bytes]
) -> None:
    domain: Domain = make_domain()
    mail = [(message(number, number % 2 == 0), number % 2 == 0) for number in range(250)]
    assert list(learn(database, domain.pk, [*mail, mail[0]])) == [
        Learned(200, 200),
        Learned(251, 250),
    ]
    before = counts(database, domain_model(database, domain.pk))
    assert [one.news for one in learn(database, domain.pk, mail)] == [0, 0]
    assert counts(database, domain_model(database, domain.pk)) == before


def test_counts_go_with_their_domain(
    database: Database, make_domain: MakeDomain, message: Callable[[int, bool], bytes]
) -> None:
    domain = make_domain()
    list(learn(database, domain.pk, [(message(1, SPAM), SPAM)]))
    model = domain_model(database, domain.pk)
    assert counts(database, model)
    domain.delete()
    assert counts_left(database, model) == 0


def counts_left(db: Database, model: int) -> int:
    row = db.execute("SELECT count(*) FROM routing_spam_token WHERE model_id = %s", (model,))
    return int((row.fetchone() or (0,))[0])
