"""Guessers, of one account from everywhere and of all accounts from one place; and the user, who gets in throughout."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from accounts import people
from accounts.authentication import verify_password
from accounts.entries import Login, LoginRefused, ThrottleScope
from accounts.login_record import KNOWN_MAXIMUM
from accounts.models import KnownNetwork, LoginFailure, User
from accounts.throttle import (
    FREE_PER_ACCOUNT,
    FREE_PER_PAIR,
    FREE_PER_SOURCE,
    LONGEST_WAIT_OF_KNOWN,
    explanation,
)
from tests.accounts.test_scram_login import log_in as log_in_by_scram
from tests.factories import PASSWORD, MakeUser, unique

Database = psycopg.Connection[tuple[Any, ...]]
Check = Callable[[Database, str, str, str], Login | LoginRefused]

by_both = pytest.mark.parametrize("check", [verify_password, log_in_by_scram])


def network() -> str:
    """An address that no other test comes from, in a /64 of its own."""
    tail = unique("")
    return f"2001:db8:{tail[:4]}:{tail[4:8]}::1"


def scope(outcome: Login | LoginRefused) -> ThrottleScope | None:
    assert isinstance(outcome, LoginRefused)
    return outcome.scope


@by_both
def test_from_many_addresses_on_one_account(
    database: Database, make_user: MakeUser, check: Check
) -> None:
    user, home = make_user(), network()
    secret = people.create_app_password(user, "phone").secret
    assert isinstance(check(database, user.address, PASSWORD, home), Login)
    for number in range(FREE_PER_ACCOUNT):
        assert scope(check(database, user.address, "wrong", network())) is None
        if number % 10 == 0:
            assert isinstance(check(database, user.address, PASSWORD, home), Login)
    blocked = check(database, user.address, PASSWORD, network())
    assert scope(blocked) is ThrottleScope.ACCOUNT
    assert isinstance(check(database, user.address, PASSWORD, home), Login)
    neighbour = home.replace("::1", "::beef")  # the same /64
    assert scope(check(database, user.address, "wrong", neighbour)) is None  # one slip
    assert isinstance(check(database, user.address, PASSWORD, neighbour), Login)
    # 128 random bits cannot be guessed: no block holds a new phone up
    assert isinstance(verify_password(database, user.address, secret, network()), Login)


@by_both
def test_from_one_address_on_many_accounts(
    database: Database, make_user: MakeUser, check: Check
) -> None:
    user, stranger, place = make_user(), make_user(), network()
    assert isinstance(check(database, user.address, PASSWORD, place), Login)
    for number in range(FREE_PER_SOURCE):
        assert scope(check(database, f"u{number}@{user.domain}", "wrong", place)) is None
    assert scope(check(database, stranger.address, PASSWORD, place)) is ThrottleScope.SOURCE
    assert isinstance(check(database, user.address, PASSWORD, place), Login)
    assert isinstance(check(database, stranger.address, PASSWORD, network()), Login)


@by_both
def test_an_attacker_beside_the_user_holds_him_up_for_seconds_only(
    database: Database, make_user: MakeUser, check: Check
) -> None:
    user, home = make_user(), network()
    assert isinstance(check(database, user.address, PASSWORD, home), Login)
    for _ in range(FREE_PER_PAIR):
        check(database, user.address, "wrong", home)
    LoginFailure.objects.filter(account=user.address).update(failures=10_000)
    blocked = check(database, user.address, PASSWORD, home)
    assert scope(blocked) is ThrottleScope.PAIR
    assert isinstance(blocked, LoginRefused)
    assert blocked.retry_after == LONGEST_WAIT_OF_KNOWN
    assert isinstance(check(database, user.address, PASSWORD, network()), Login)


def test_a_program_with_an_old_password_shuts_nobody_else_out(
    database: Database, make_user: MakeUser
) -> None:
    """It fails for ever from a known network: neither its neighbours nor its user elsewhere pay for it."""
    user, neighbour, home = make_user(), make_user(), network()
    verify_password(database, user.address, PASSWORD, home)
    for _ in range(FREE_PER_ACCOUNT + 1):
        verify_password(database, user.address, "old", home)
        LoginFailure.objects.filter(account=user.address).update(failures=1)
    assert isinstance(verify_password(database, neighbour.address, PASSWORD, home), Login)
    assert isinstance(verify_password(database, user.address, PASSWORD, network()), Login)


def test_who_mistypes_and_gets_in_leaves_no_count_behind(
    database: Database, make_user: MakeUser
) -> None:
    place = network()
    users = [make_user() for _ in range(FREE_PER_SOURCE // 4 + 2)]
    for user in users:
        for _ in range(FREE_PER_PAIR - 1):
            assert scope(verify_password(database, user.address, "wrogn", place)) is None
        assert isinstance(verify_password(database, user.address, PASSWORD, place), Login)
    assert not LoginFailure.objects.filter(source="", account=users[0].address, failures__gt=0)


def test_known_networks_are_bounded_and_age(database: Database, make_user: MakeUser) -> None:
    user = make_user()
    old = network()
    verify_password(database, user.address, PASSWORD, old)
    mine = KnownNetwork.objects.filter(user=user)
    (row,) = mine
    database.execute(
        "UPDATE accounts_knownnetwork SET last_at = now() - interval '91 days' WHERE id = %s",
        [row.pk],
    )
    for _ in range(KNOWN_MAXIMUM + 5):
        verify_password(database, user.address, PASSWORD, network())
    assert mine.all().count() == KNOWN_MAXIMUM
    assert not mine.filter(pk=row.pk).exists()


def test_a_network_is_noted_once_a_day(database: Database, make_user: MakeUser) -> None:
    user, home = make_user(), network()
    verify_password(database, user.address, PASSWORD, home)
    first = KnownNetwork.objects.get(user=user)
    verify_password(database, user.address, PASSWORD, home)
    assert KnownNetwork.objects.get(user=user).last_at == first.last_at
    database.execute(
        "UPDATE accounts_knownnetwork SET last_at = now() - interval '25 hours' WHERE id = %s",
        [first.pk],
    )
    verify_password(database, user.address, PASSWORD, home)
    assert KnownNetwork.objects.get(user=user).last_at > first.last_at


def test_failures_alone_make_no_network_known(database: Database, make_user: MakeUser) -> None:
    user = make_user()
    verify_password(database, user.address, "wrong", network())
    User.objects.filter(pk=user.pk).update(is_active=False)
    for check in (verify_password, log_in_by_scram):
        check(database, user.address, PASSWORD, network())
    assert not KnownNetwork.objects.filter(user=user).exists()


@pytest.mark.parametrize(
    ("scope", "seconds", "text"),
    [
        (ThrottleScope.PAIR, 1, "to this account; try again in 1 second"),
        (ThrottleScope.SOURCE, 119, "from your network; try again in 119 seconds"),
        (ThrottleScope.ACCOUNT, 900, "to this account from elsewhere; try again in 15 minutes"),
        (ThrottleScope.PAIR, 121, "to this account; try again in 3 minutes"),
    ],
)
def test_the_client_is_told_why_and_how_long(scope: ThrottleScope, seconds: int, text: str) -> None:
    refused = LoginRefused("throttled", seconds, scope)
    assert explanation(refused) == f"Too many failed logins {text}"
