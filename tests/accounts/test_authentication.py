"""Who is this login: by which names, by which secrets, how often, and until when."""

import asyncio
from typing import Any

import psycopg
import pytest
from django.contrib.auth import authenticate
from django.test import RequestFactory

from accounts import authentication, hashing, people
from accounts.authentication import PendingLogin, begin_login, still_valid, verify_password
from accounts.entries import Login, LoginRefused, ThrottleScope
from accounts.models import App, Credential, LoginFailure, User
from accounts.throttle import FREE_PER_PAIR, FREE_PER_SOURCE
from tests.factories import (
    PASSWORD,
    MakeAlias,
    MakeApp,
    MakeDomain,
    MakeGroup,
    MakeUser,
    unique,
)
from transport.database_threads import DatabaseThreads
from transport.logins import log_in

Database = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def source() -> str:
    """An address that no other test comes from."""
    tail = unique("")
    return f"2001:db8:{tail[:4]}:{tail[4:8]}::1"


def test_a_user_logs_in_by_the_full_address(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user = make_user("ann", full_name="Ann Lee")
    login = verify_password(database, f"Ann@{user.domain.name.upper()}", PASSWORD, source)
    assert isinstance(login, Login)
    assert (login.kind, login.account_id, login.mailbox_id) == ("user", user.pk, user.mailbox.pk)
    assert (login.address, login.display_name) == (user.address, "Ann Lee")
    assert (login.domain_name, login.mail_enabled) == (user.domain.name, True)


def test_a_bare_username_is_one_of_the_default_domain(
    database: Database, make_user: MakeUser, make_domain: MakeDomain, source: str
) -> None:
    name = unique("u")
    make_user(name)
    assert verify_password(database, name, PASSWORD, source) == LoginRefused("unknown")
    user = make_user(name, make_domain(is_default=True))
    login = verify_password(database, name, PASSWORD, source)
    assert isinstance(login, Login)
    assert login.account_id == user.pk


def test_nobody_logs_in_by_an_alias_a_tag_or_as_a_group(
    database: Database,
    make_user: MakeUser,
    make_alias: MakeAlias,
    make_group: MakeGroup,
    source: str,
) -> None:
    user = make_user()
    group = make_group(members=[user.address])
    tagged = user.address.replace("@", "+x@")
    for login in (str(make_alias(user)), tagged, group.address, "", "@", "a\0b@c", "\udcff"):
        assert verify_password(database, login, PASSWORD, source) == LoginRefused("unknown")


def test_a_wrong_password_is_refused(database: Database, make_user: MakeUser, source: str) -> None:
    user = make_user()
    for password in (
        "wrong",
        "",
        PASSWORD + "x",
        PASSWORD.upper(),
        "x" * 100_000,
        "a\0b",
        "\udcff",
    ):
        LoginFailure.objects.all().delete()
        assert verify_password(database, user.address, password, source) == LoginRefused("password")


def test_a_user_without_a_password_has_none(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user = make_user(password=None)
    for password in ("", "!", user.password):
        assert verify_password(database, user.address, password, source) == LoginRefused("password")


def test_an_app_password_is_the_user(database: Database, make_user: MakeUser, source: str) -> None:
    user, other = make_user(), make_user()
    new = people.create_app_password(user, "phone")
    login = verify_password(database, user.address, new.secret, source)
    assert isinstance(login, Login)
    assert login.account_id == user.pk
    new.credential.refresh_from_db()
    assert new.credential.last_used_at is not None
    assert new.secret.encode() not in bytes(new.credential.secret_sha256)
    assert verify_password(database, other.address, new.secret, source) == LoginRefused("password")


def test_an_app_logs_in_with_its_credentials(
    database: Database, make_app: MakeApp, make_domain: MakeDomain, source: str
) -> None:
    new = make_app("shop", make_domain(mail_enabled=False), display_name="Shop")
    login = verify_password(database, new.app.address, new.secret, source)
    assert isinstance(login, Login)
    assert (login.kind, login.account_id, login.display_name) == ("app", new.app.pk, "Shop")
    assert not login.mail_enabled
    newer = people.regenerate_credentials(new.app)
    assert not still_valid(database, [login])
    assert isinstance(verify_password(database, new.app.address, newer.secret, source), Login)
    assert isinstance(verify_password(database, new.app.address, new.secret, source), LoginRefused)


def test_disabling_takes_effect_at_once_in_spite_of_the_cache(
    database: Database, make_user: MakeUser, make_app: MakeApp, source: str
) -> None:
    user, new = make_user(), make_app()
    secret = people.create_app_password(user, "phone").secret
    for address, password, owner in (
        (user.address, PASSWORD, user),
        (user.address, secret, user),
        (new.app.address, new.secret, new.app),
    ):
        model = type(owner).objects.filter(pk=owner.pk)
        login = verify_password(database, address, password, source)
        assert isinstance(login, Login)
        assert still_valid(database, [login]) == {login}
        model.update(is_active=False)
        assert isinstance(verify_password(database, address, password, source), LoginRefused)
        assert still_valid(database, [login]) == frozenset()
        model.update(is_active=True)


def test_an_inactive_user_s_refusal_says_so_only_to_the_log(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user = make_user()
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert verify_password(database, user.address, PASSWORD, source) == LoginRefused("inactive")


def test_sessions_end_with_a_new_password_a_deleted_credential_or_user(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user, stays = make_user(), make_user()
    new = people.create_app_password(user, "phone")
    by_password = verify_password(database, user.address, PASSWORD, source)
    by_credential = verify_password(database, user.address, new.secret, source)
    other = verify_password(database, stays.address, PASSWORD, source)
    assert isinstance(by_password, Login)
    assert isinstance(by_credential, Login)
    assert isinstance(other, Login)
    everybody = [by_password, by_credential, other]
    assert still_valid(database, everybody) == set(everybody)
    assert still_valid(database, []) == frozenset()
    user.set_password("another")
    user.save()
    assert still_valid(database, everybody) == {by_credential, other}
    new.credential.delete()
    assert still_valid(database, everybody) == {other}
    stays.delete()
    assert still_valid(database, everybody) == frozenset()


def test_a_right_password_is_hashed_once(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user = make_user()
    assert isinstance(begin_login(database, user.address, PASSWORD, source), PendingLogin)
    assert isinstance(verify_password(database, user.address, PASSWORD, source), Login)
    assert isinstance(begin_login(database, user.address, PASSWORD, source), Login)
    assert isinstance(begin_login(database, user.address, "wrong", source), PendingLogin)
    user.set_password(PASSWORD)  # the same one: another salt
    user.save()
    assert isinstance(begin_login(database, user.address, PASSWORD, source), PendingLogin)


def fail(database: Database, address: str, source: str, times: int) -> None:
    for _ in range(times):
        refused = verify_password(database, address, "wrong", source)
        assert isinstance(refused, LoginRefused)
        assert refused.reason != "throttled"


def test_failures_throttle_the_source_with_this_account_before_any_hash(
    database: Database, make_user: MakeUser, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, other = make_user(), make_user()
    assert isinstance(verify_password(database, user.address, PASSWORD, source), Login)  # cached
    fail(database, user.address, source, FREE_PER_PAIR)

    def no_hash(*_: Any) -> Any:
        raise AssertionError("hashed")

    with monkeypatch.context() as patched:
        patched.setattr(authentication, "in_turn", no_hash)
        for password in ("wrong", PASSWORD):
            refused = verify_password(database, user.address, password, source)
            assert refused == LoginRefused("throttled", 1, ThrottleScope.PAIR)
    assert isinstance(verify_password(database, user.address, PASSWORD, "192.0.2.1"), Login)
    assert isinstance(verify_password(database, other.address, PASSWORD, source), Login)


def test_a_success_after_the_wait_forgets_the_failures(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user = make_user()
    fail(database, user.address, source, FREE_PER_PAIR)
    database.execute(
        "UPDATE accounts_loginfailure SET last_at = last_at - interval '2 seconds' WHERE account = %s",
        (user.address,),
    )
    assert isinstance(verify_password(database, user.address, PASSWORD, source), Login)
    assert not LoginFailure.objects.filter(account=user.address, failures__gt=0).exists()


def test_failures_are_forgotten_after_an_hour(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user = make_user()
    fail(database, user.address, source, FREE_PER_PAIR)
    database.execute(
        "UPDATE accounts_loginfailure SET last_at = last_at - interval '61 minutes' WHERE account = %s",
        (user.address,),
    )
    fail(database, user.address, source, 1)
    counts = LoginFailure.objects.filter(account=user.address).values_list("failures", flat=True)
    assert list(counts) == [1, 1]  # from there, and from anywhere


def test_a_source_that_tries_many_accounts_is_throttled_as_a_whole(
    database: Database, make_user: MakeUser, source: str
) -> None:
    user = make_user()
    secret = people.create_app_password(user, "phone").secret
    for number in range(FREE_PER_SOURCE):
        fail(database, f"u{number}@{user.domain}", source, 1)
    neighbour = source.replace("::1", "::2")
    assert verify_password(database, user.address, PASSWORD, neighbour) == LoginRefused(
        "throttled", 1, ThrottleScope.SOURCE
    )
    assert isinstance(verify_password(database, user.address, secret, source), Login)


def test_this_machine_is_never_throttled_as_a_whole(
    database: Database, make_user: MakeUser
) -> None:
    user = make_user()
    for number in range(FREE_PER_SOURCE + 1):
        fail(database, f"u{number}@{user.domain}", "127.0.0.1", 1)
    assert isinstance(verify_password(database, user.address, PASSWORD, "127.0.0.1"), Login)


def test_unknown_and_known_logins_take_one_hash_each(
    database: Database,
    make_user: MakeUser,
    make_app: MakeApp,
    source: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user, inactive = make_user(), make_user()
    User.objects.filter(pk=inactive.pk).update(is_active=False)
    hashed = []
    real = hashing.verify_hash

    def count(password: str, encoded: str) -> tuple[bool, bool]:
        hashed.append(encoded.split("$")[:4])
        return real(password, encoded)

    monkeypatch.setattr(hashing, "verify_hash", count)
    logins = [
        user.address,
        inactive.address,
        make_app().app.address,
        f"no@{user.domain}",
        "no",
        "x@y@z",
    ]
    for login in logins:
        verify_password(database, login, "wrong", source)
    assert len(hashed) == len(logins)
    assert len({tuple(each) for each in hashed}) == 1  # the same algorithm and cost


def test_our_own_failure_is_no_refusal(
    database: Database, make_user: MakeUser, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user()
    monkeypatch.setattr(hashing, "_QUEUE", hashing.FairQueue(longest=0))
    with pytest.raises(hashing.TooBusy):
        verify_password(database, user.address, PASSWORD, source)
    assert not LoginFailure.objects.filter(account=user.address).exists()


def test_a_listener_logs_in_without_blocking(make_user: MakeUser, source: str) -> None:
    user = make_user()

    async def both() -> tuple[Any, ...]:
        threads = DatabaseThreads()
        try:
            return tuple(
                await asyncio.gather(
                    log_in(threads, user.address, PASSWORD, source),
                    log_in(threads, user.address, "wrong", source),
                )
            )
        finally:
            threads.close()

    right, wrong = asyncio.run(both())
    assert isinstance(right, Login)
    assert wrong == LoginRefused("password")


def test_the_admin_takes_the_same_logins_and_the_same_throttle(
    make_user: MakeUser, source: str
) -> None:
    user = make_user(is_admin=True)
    secret = people.create_app_password(user, "phone").secret
    request = RequestFactory(REMOTE_ADDR=source).get("/")
    assert authenticate(request, username=user.address, password=PASSWORD) == user
    assert authenticate(request, username=user.address, password=secret) is None
    for _ in range(FREE_PER_PAIR):
        assert authenticate(request, username=user.address, password="wrong") is None
    assert authenticate(request, username=user.address, password=PASSWORD) is None
    LoginFailure.objects.filter(account=user.address).delete()
    assert authenticate(request, username=user.address, password=PASSWORD) == user


def test_credentials_of_a_deleted_owner_go_with_it(make_user: MakeUser, make_app: MakeApp) -> None:
    user, new = make_user(), make_app()
    phone = people.create_app_password(user, "phone").credential
    app_id = new.app.pk
    user.delete()
    new.app.delete()
    assert not Credential.objects.filter(pk=phone.pk).exists()
    assert not Credential.objects.filter(app_id=app_id).exists()
    assert not App.objects.filter(pk=app_id).exists()
