"""Who logs in by SCRAM, with which of several secrets, and what a stranger can learn from it."""

from typing import Any

import psycopg
import pytest
from django.contrib.auth.hashers import make_password

from accounts import people
from accounts.authentication import still_valid, verify_password
from accounts.entries import Login, LoginRefused
from accounts.models import Credential, User
from accounts.scram_login import begin_scram, finish_scram
from accounts.throttle import FREE_PER_PAIR
from tests.factories import PASSWORD, MakeApp, MakeUser, unique
from tests.scram_client import ScramClient
from transport.sasl.scram import ScramExchange
from transport.sasl.steps import Claimed, Proof

Database = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def source() -> str:
    tail = unique("")
    return f"2001:db8:{tail[:4]}:{tail[4:8]}::1"


def log_in(database: Database, login: str, password: str, source: str) -> Login | LoginRefused:
    """The whole exchange; the client checks the server too."""
    client, exchange = ScramClient(login, password), ScramExchange()
    claimed = exchange.step(client.first())
    assert isinstance(claimed, Claimed)
    pending = begin_scram(database, claimed.login, source)
    if isinstance(pending, LoginRefused):
        return pending
    challenge = exchange.challenge(pending.salt, pending.iterations)
    proof = exchange.step(client.final(challenge.text))
    assert isinstance(proof, Proof)
    outcome = finish_scram(database, pending, proof.proof, proof.auth_message)
    if isinstance(outcome, LoginRefused):
        return outcome
    assert client.is_server(exchange.confirm(outcome[1]).text)
    return outcome[0]


def test_each_secret_of_a_user_works_and_is_told_apart(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user = make_user()
    phone, laptop = (people.create_app_password(user, label) for label in ("phone", "laptop"))
    for secret, credential in (
        (PASSWORD, None),
        (phone.secret, phone.credential.pk),
        (laptop.secret, laptop.credential.pk),
    ):
        login = log_in(database, user.address, secret, source)
        assert isinstance(login, Login)
        assert (login.account_id, login.mailbox_id) == (user.pk, user.mailbox.pk)
        assert login.credential_id == credential
        assert still_valid(database, [login]) == {login}
        assert login == verify_password(database, user.address, secret, source)
    assert log_in(database, user.address, "wrong", source) == LoginRefused("password")


def test_an_app_logs_in(database: Database, make_app: MakeApp, source: str) -> None:
    new = make_app()
    login = log_in(database, new.app.address, new.secret, source)
    assert isinstance(login, Login)
    assert (login.kind, login.account_id) == ("app", new.app.pk)
    newer = people.regenerate_credentials(new.app)
    assert isinstance(log_in(database, new.app.address, new.secret, source), LoginRefused)
    assert isinstance(log_in(database, new.app.address, newer.secret, source), Login)


def test_a_new_password_takes_effect_at_once(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user = make_user()
    user.set_password("another")
    user.save()
    assert log_in(database, user.address, PASSWORD, source) == LoginRefused("password")
    assert isinstance(log_in(database, user.address, "another", source), Login)


def test_a_password_set_past_the_model_voids_the_verifier(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user = make_user()
    User.objects.filter(pk=user.pk).update(password=make_password("another"))
    assert log_in(database, user.address, PASSWORD, source) == LoginRefused("unprepared")
    assert log_in(database, user.address, "another", source) == LoginRefused("unprepared")
    assert isinstance(verify_password(database, user.address, "another", source), Login)
    assert log_in(database, user.address, PASSWORD, source) == LoginRefused("password")
    assert isinstance(log_in(database, user.address, "another", source), Login)


def test_scram_begins_when_the_last_old_secret_was_used_once(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user = make_user()
    phone = people.create_app_password(user, "phone")
    User.objects.filter(pk=user.pk).update(scram_verifier=b"")
    Credential.objects.filter(user=user).update(scram_verifier=b"")
    assert log_in(database, user.address, PASSWORD, source) == LoginRefused("unprepared")
    assert isinstance(verify_password(database, user.address, PASSWORD, source), Login)
    assert log_in(database, user.address, PASSWORD, source) == LoginRefused("unprepared")
    assert isinstance(verify_password(database, user.address, phone.secret, source), Login)
    for secret in (PASSWORD, phone.secret):
        assert isinstance(log_in(database, user.address, secret, source), Login)


def test_a_user_with_app_passwords_alone(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user = make_user(password=None)
    assert log_in(database, user.address, "", source) == LoginRefused("password")
    phone = people.create_app_password(user, "phone")
    assert isinstance(log_in(database, user.address, phone.secret, source), Login)


def test_a_password_that_saslprep_forbids_needs_plain(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user = make_user(password="a\u0221")
    assert log_in(database, user.address, "a\u0221", source) == LoginRefused("unprepared")
    assert isinstance(verify_password(database, user.address, "a\u0221", source), Login)


def test_a_disabled_account_is_refused_also_between_two_messages(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user = make_user()
    client, exchange = ScramClient(user.address, PASSWORD), ScramExchange()
    exchange.step(client.first())
    pending = begin_scram(database, user.address, source)
    assert not isinstance(pending, LoginRefused)
    proof = exchange.step(client.final(exchange.challenge(pending.salt, pending.iterations).text))
    assert isinstance(proof, Proof)
    User.objects.filter(pk=user.pk).update(is_active=False)
    outcome = finish_scram(database, pending, proof.proof, proof.auth_message)
    assert outcome == LoginRefused("inactive")
    assert log_in(database, user.address, PASSWORD, source) == LoginRefused("inactive")


def test_who_exists_is_not_told(database: Database, make_user: MakeUser, source: str) -> None:
    """The same kind of salt, the same one again, the same iterations, and the same throttle."""
    user, inactive, old = make_user(), make_user(), make_user()
    User.objects.filter(pk=inactive.pk).update(is_active=False)
    User.objects.filter(pk=old.pk).update(scram_verifier=b"")
    nobody = f"{unique('no')}@{user.domain}"
    for login in (user.address, inactive.address, old.address, nobody, unique("bare")):
        first, again = begin_scram(database, login, source), begin_scram(database, login, source)
        assert not isinstance(first, LoginRefused)
        assert not isinstance(again, LoginRefused)
        assert first.salt == again.salt
        assert (len(first.salt), first.iterations) == (16, 4096)
        for _ in range(FREE_PER_PAIR):
            refused = log_in(database, login, "wrong", source)
            assert isinstance(refused, LoginRefused)
            assert refused.reason != "throttled"
        refused = log_in(database, login, "wrong", source)
        assert isinstance(refused, LoginRefused)
        assert refused.reason == "throttled"


def test_plain_and_scram_share_the_throttle(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user = make_user()
    for number in range(FREE_PER_PAIR):
        check = log_in if number % 2 else verify_password
        assert check(database, user.address, "wrong", source) == LoginRefused("password")
    for check in (log_in, verify_password):
        refused = check(database, user.address, PASSWORD, source)
        assert isinstance(refused, LoginRefused)
        assert refused.reason == "throttled"
