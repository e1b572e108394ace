"""One namespace: whatever has an address, nothing else can have it, by services and by raw SQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from threading import Barrier
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from accounts import membership, namespace, people
from accounts.models import Domain, Group, GroupMember, User
from accounts.namespace import Conflict
from tests.factories import PASSWORD, MakeApp, MakeDomain, MakeGroup, MakeUser, unique

Database = psycopg.Connection[tuple[Any, ...]]


def _user(domain: Domain, name: str) -> None:
    people.create_user(f"{name}@{domain}", PASSWORD)


def _group(domain: Domain, name: str) -> None:
    membership.create_group(f"{name}@{domain}")


def _app(domain: Domain, name: str) -> None:
    people.create_app(unique("app"), domain, local_part=name)


def _alias(domain: Domain, name: str) -> None:
    people.create_alias(f"{name}@{domain}", people.create_user(f"{unique('u')}@{domain}", PASSWORD))


KINDS: dict[str, Callable[[Domain, str], None]] = {
    "user": _user,
    "group": _group,
    "app": _app,
    "alias": _alias,
}


@pytest.mark.parametrize(("first", "second"), list(product(KINDS, KINDS)))
def test_a_taken_address_is_refused_with_whose_it_is(
    make_domain: MakeDomain, first: str, second: str
) -> None:
    domain = make_domain()
    KINDS[first](domain, "taken")
    with pytest.raises(Conflict) as refusal:
        KINDS[second](domain, "Taken")
    line = str(refusal.value)
    assert f"taken@{domain}" in line
    assert first in line
    assert "\n" not in line


RAW = {
    "user": """INSERT INTO accounts_user (domain_id, username, password, full_name, is_active, is_staff, created_at)
        VALUES (%(domain)s, 'taken', '!', '', true, false, now())""",
    "group": """INSERT INTO accounts_group (domain_id, name, description, created_at)
        VALUES (%(domain)s, 'taken', '', now())""",
    "app": """INSERT INTO accounts_app (domain_id, name, local_part, display_name, is_active, created_at)
        VALUES (%(domain)s, 'raw', 'taken', '', true, now())""",
    "alias": """INSERT INTO accounts_address (domain_id, local_part, is_primary, user_id)
        VALUES (%(domain)s, 'taken', false, %(user)s)""",
}


@pytest.mark.parametrize(("first", "second"), list(product(KINDS, RAW)))
def test_the_database_refuses_it_to_raw_sql_too(
    database: Database, make_domain: MakeDomain, make_user: MakeUser, first: str, second: str
) -> None:
    domain = make_domain()
    user = make_user(domain=domain)
    KINDS[first](domain, "taken")
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.execute(RAW[second], {"domain": domain.pk, "user": user.pk})


@pytest.mark.parametrize("name", ["Upper", "with+tag", "srs0=abc", "a@b", ""])
def test_the_database_refuses_names_that_no_look_up_would_find(
    database: Database, make_user: MakeUser, name: str
) -> None:
    user = make_user()
    with pytest.raises(psycopg.errors.CheckViolation):
        database.execute(
            "INSERT INTO accounts_address (domain_id, local_part, is_primary, user_id) VALUES (%s, %s, false, %s)",
            (user.domain_id, name, user.pk),
        )


@pytest.mark.parametrize("name", ["with+tag", "srs0=abc", ".a", "a b", "é" * 40])
def test_services_explain_what_is_no_name(make_domain: MakeDomain, name: str) -> None:
    domain = make_domain()
    with pytest.raises(Conflict) as refusal:
        people.create_user(f"{name}@{domain}", PASSWORD)
    assert "\n" not in str(refusal.value)
    assert not User.objects.filter(domain=domain).exists()


def test_renaming_a_user_moves_the_address_and_cannot_take_another(
    make_domain: MakeDomain, make_user: MakeUser
) -> None:
    domain = make_domain()
    user = make_user("old", domain)
    _group(domain, "team")
    user.username = "new"
    user.save()
    assert namespace.holder_of(domain, "old") is None
    holder = namespace.holder_of(domain, "new")
    assert holder is not None
    assert holder.user == user
    user.username = "team"
    with pytest.raises(Conflict), namespace.one_change(user.address):
        user.save()


def test_a_race_ends_in_the_same_conflict(make_domain: MakeDomain) -> None:
    domain = make_domain()
    barrier = Barrier(2)

    def make(kind: Callable[[Domain, str], None]) -> str:
        try:
            with transaction.atomic():
                assert namespace.taken(domain, "raced") == ""  # both saw it free
                barrier.wait(10)
                kind(domain, "raced")
        except Conflict as conflict:
            return str(conflict)
        finally:
            connection.close()
        return "made"

    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(make, [_user, _group]))
    assert sorted(result == "made" for result in results) == [False, True]
    assert any("taken" in result for result in results)


def test_a_second_app_of_a_name_is_refused(make_app: MakeApp) -> None:
    app = make_app().app
    with pytest.raises(Conflict, match="exists"):
        people.create_app(app.name, app.domain, local_part="another")


def test_a_second_domain_of_a_name_is_refused(make_domain: MakeDomain) -> None:
    domain = make_domain()
    with pytest.raises(Conflict, match="exists already"):
        people.create_domain(domain.name.upper())


def test_one_domain_is_the_default(make_domain: MakeDomain) -> None:
    first, second = make_domain(is_default=True), make_domain(is_default=True)
    first.refresh_from_db()
    assert not first.is_default
    assert second.is_default


def test_a_group_never_reaches_itself(make_group: MakeGroup) -> None:
    outer, middle, inner = make_group(), make_group(), make_group()
    membership.add_member(outer, middle.address)
    membership.add_member(middle, inner.address)
    with pytest.raises(Conflict) as refusal:
        membership.add_member(inner, outer.address)
    assert f"{inner} → {outer} → {middle} → {inner}" in str(refusal.value)
    with pytest.raises(Conflict):
        membership.add_member(inner, inner.address)


def test_the_database_refuses_a_loop_to_raw_sql_too(
    database: Database, make_group: MakeGroup
) -> None:
    outer, inner = make_group(), make_group()
    membership.add_member(outer, inner.address)
    with pytest.raises(psycopg.errors.CheckViolation, match="reach itself"):
        database.execute(
            "INSERT INTO accounts_groupmember (group_id, member_group_id, outside_address) VALUES (%s, %s, '')",
            (inner.pk, outer.pk),
        )


def test_two_halves_of_a_loop_made_at_once(make_group: MakeGroup) -> None:
    left, right = make_group(), make_group()
    barrier = Barrier(2)

    def put(outer: Group, inner: Group) -> bool:
        try:
            with namespace.one_change("half"):
                barrier.wait(10)
                GroupMember.objects.create(group=outer, member_group=inner)
        except Conflict:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as threads:
        results = list(threads.map(put, [left, right], [right, left]))
    assert sorted(results) == [False, True]


def test_a_member_is_in_a_group_once(make_group: MakeGroup, make_user: MakeUser) -> None:
    user = make_user()
    group = make_group(members=[user.address, "guest@elsewhere.example"])
    for address in (user.address, "guest@elsewhere.example"):
        with pytest.raises(Conflict, match="already"):
            membership.add_member(group, address)


def test_nobody_in_a_domain_of_ours_is_no_member(make_group: MakeGroup) -> None:
    group = make_group()
    with pytest.raises(Conflict, match="nobody has it"):
        membership.add_member(group, f"nobody@{group.domain}")
