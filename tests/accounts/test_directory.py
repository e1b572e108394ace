"""What an address means, in the order exact, without its tag, catch-all; and whom a group reaches."""

from typing import Any

import psycopg
import pytest

from accounts import directory, membership, people
from accounts.addresses import Address, parse_address
from accounts.authentication import verify_password
from accounts.entries import (
    AppEntry,
    CatchAllEntry,
    DirectoryEntry,
    DomainFacts,
    Found,
    GroupEntry,
    Login,
    MailboxFacts,
    SpamSettings,
    SrsEntry,
    UserEntry,
)
from accounts.models import Mailbox
from tests.factories import (
    PASSWORD,
    MakeAlias,
    MakeApp,
    MakeDomain,
    MakeGroup,
    MakeUser,
    unique,
)
from tests.round_trips import counted

Database = psycopg.Connection[tuple[Any, ...]]


def found(database: Database, address: str) -> Found:
    return directory.look_up(database, parse_address(address))


def entry(database: Database, address: str) -> DirectoryEntry | None:
    return found(database, address).entry


def test_a_user_is_found_in_any_case_and_with_any_tag(
    database: Database, make_user: MakeUser
) -> None:
    user = make_user("Ann")
    expected = UserEntry(
        MailboxFacts(user.mailbox.pk, f"ann@{user.domain}", is_full=False), is_active=True
    )
    assert entry(database, f"ANN@{user.domain.name.upper()}") == expected
    assert found(database, f"ann+Shop@{user.domain}") == Found(
        DomainFacts(user.domain.pk, user.domain.name, mail_enabled=True), expected, "Shop"
    )


def test_an_alias_leads_to_the_user_in_any_domain(
    database: Database, make_user: MakeUser, make_alias: MakeAlias, make_domain: MakeDomain
) -> None:
    user, elsewhere = make_user(), make_domain()
    make_alias(user, "sales", elsewhere)
    assert entry(database, f"sales+x@{elsewhere}") == entry(database, user.address)
    assert entry(database, f"sales@{user.domain}") is None


def test_a_group_is_found_with_a_tag(database: Database, make_group: MakeGroup) -> None:
    group = make_group()
    assert entry(database, group.address) == GroupEntry(group.pk, group.address)
    assert entry(database, f"{group.name}+x@{group.domain}") == GroupEntry(group.pk, group.address)


def test_catch_all_takes_what_nobody_has_and_nothing_else(
    database: Database, make_user: MakeUser, make_domain: MakeDomain
) -> None:
    domain = make_domain()
    first, second, named = make_user(domain=domain), make_user(), make_user(domain=domain)
    people.set_catch_all(domain, [first, second])
    caught = entry(database, f"anybody+x@{domain}")
    assert isinstance(caught, CatchAllEntry)
    assert [mailbox.id for mailbox in caught.mailboxes] == [first.mailbox.pk, second.mailbox.pk]
    assert isinstance(entry(database, named.address), UserEntry)
    people.set_catch_all(domain, [])
    assert entry(database, f"anybody@{domain}") is None


def test_the_disabled_never_fall_to_the_catch_all(
    database: Database, make_user: MakeUser, make_app: MakeApp, make_domain: MakeDomain
) -> None:
    domain = make_domain()
    people.set_catch_all(domain, [make_user(domain=domain)])
    user, app = make_user(domain=domain), make_app(domain=domain).app
    for each, kind in ((user, UserEntry), (app, AppEntry)):
        assert getattr(entry(database, each.address), "is_active", None) is True
        type(each).objects.filter(pk=each.pk).update(is_active=False)
        refused = entry(database, each.address)
        assert isinstance(refused, kind)
        assert not refused.is_active
        tagged = entry(database, each.address.replace("@", "+x@"))
        assert tagged == refused


def test_a_disabled_catch_all_takes_nothing(database: Database, make_user: MakeUser) -> None:
    user = make_user()
    people.set_catch_all(user.domain, [user])
    user.is_active = False
    user.save()
    assert entry(database, f"anybody@{user.domain}") is None


def test_a_domain_without_mail_has_no_addresses_and_is_not_local(
    database: Database, make_app: MakeApp, make_domain: MakeDomain
) -> None:
    domain = make_domain(mail_enabled=False)
    app = make_app(domain=domain).app
    assert not found(database, app.address).is_local
    assert entry(database, app.address) is None
    domain.mail_enabled = True
    people.save_domain(domain)
    assert found(database, app.address).is_local
    assert isinstance(entry(database, app.address), AppEntry)
    assert found(database, "ann@nowhere.invalid") == Found(None, None)


def test_a_full_mailbox_says_so(database: Database, make_user: MakeUser) -> None:
    user = make_user(quota_bytes=1000)
    Mailbox.objects.filter(user=user).update(used_bytes=1000)
    full = entry(database, user.address)
    assert isinstance(full, UserEntry)
    assert full.mailbox.is_full


def test_postmaster_reaches_an_administrator_even_past_a_catch_all(
    database: Database, make_user: MakeUser, make_domain: MakeDomain
) -> None:
    make_user(is_admin=True)
    domain = make_domain()
    people.set_catch_all(domain, [make_user(domain=domain)])
    administrator = directory.look_up_postmaster(database)
    assert administrator is not None
    for address in (f"postmaster@{domain}", f"PostMaster+x@{domain}"):
        reached = entry(database, address)
        assert isinstance(reached, UserEntry)
        assert reached.mailbox == administrator


def test_a_postmaster_of_its_own_comes_first(
    database: Database, make_user: MakeUser, make_group: MakeGroup, make_domain: MakeDomain
) -> None:
    make_user(is_admin=True)
    user = make_user("postmaster")
    own = entry(database, user.address)
    assert isinstance(own, UserEntry)
    assert own.mailbox.id == user.mailbox.pk
    user.is_active = False
    user.save()
    assert getattr(entry(database, user.address), "is_active", None) is True
    group = make_group("postmaster")
    assert isinstance(entry(database, group.address), GroupEntry)


def test_an_srs_address_leads_back(database: Database, make_domain: MakeDomain) -> None:
    domain = make_domain()
    address = directory.srs_address(database, domain.name, "Sender@far.example")
    assert directory.srs_address(database, domain.name, "Sender@far.example") == address
    assert len(address.local_part) <= 64
    assert entry(database, str(address).upper()) == SrsEntry("Sender@far.example")
    assert entry(database, f"srs0=forged@{domain}") is None


def test_a_group_reaches_everybody_once(
    database: Database, make_user: MakeUser, make_group: MakeGroup
) -> None:
    ann, bob, gone = make_user(), make_user(), make_user()
    inner = make_group(members=[bob.address, ann.address, "Guest@elsewhere.example"])
    outer = make_group(
        members=[ann.address, gone.address, inner.address, "guest@ELSEWHERE.example"]
    )
    gone.is_active = False
    gone.save()
    members = directory.expand_group(database, outer.pk)
    assert {mailbox.address for mailbox in members.mailboxes} == {ann.address, bob.address}
    assert [address.key for address in members.outside] == [("guest", "elsewhere.example")]


def test_an_outside_member_whose_domain_became_local_is_delivered_here(
    database: Database, make_user: MakeUser, make_group: MakeGroup, make_domain: MakeDomain
) -> None:
    name = f"{unique('later')}.example"
    group = make_group(members=[f"ann@{name}", f"team@{name}"])
    domain = make_domain(name)
    ann, bob = make_user("ann", domain), make_user("bob", domain)
    make_group("team", domain, members=[bob.address, group.address])
    members = directory.expand_group(database, group.pk)
    assert {mailbox.id for mailbox in members.mailboxes} == {ann.mailbox.pk, bob.mailbox.pk}
    assert members.outside == ()


def login_of(database: Database, address: str, password: str = PASSWORD) -> Login:
    login = verify_password(database, address, password, "127.0.0.1")
    assert isinstance(login, Login)
    return login


def test_a_user_owns_its_addresses_in_mail_domains(
    database: Database, make_user: MakeUser, make_alias: MakeAlias, make_domain: MakeDomain
) -> None:
    user, quiet = make_user("ann"), make_domain(mail_enabled=False)
    make_alias(user, "sales")
    make_alias(user, "quiet", quiet)
    owned = directory.owned_addresses(database, login_of(database, user.address))
    domain = user.domain.name
    assert owned.owns(Address("Ann", domain))
    assert owned.owns(Address("sales+x", domain))
    assert not owned.owns(Address("bob", domain))
    assert not owned.owns(Address("quiet", quiet.name))
    assert not owned.from_unchecked


def test_an_app_owns_its_address_while_its_domain_has_no_mail(
    database: Database, make_app: MakeApp, make_domain: MakeDomain
) -> None:
    domain = make_domain(mail_enabled=False)
    new = make_app("shop", domain)
    login = login_of(database, f"shop.app@{domain}", new.secret)
    owned = directory.owned_addresses(database, login)
    assert owned.owns(Address("shop.app", domain.name))
    assert not owned.owns(Address("other.app", domain.name))
    assert not owned.from_unchecked
    domain.validate_app_from = False
    people.save_domain(domain)
    assert directory.owned_addresses(database, login).from_unchecked


@pytest.mark.parametrize(
    ("local_part", "round_trips"), [("ann", 1), ("ann+x", 1), ("postmaster+x", 1), ("nobody", 2)]
)
def test_a_look_up_of_a_user_is_one_round_trip(
    database: Database,
    make_user: MakeUser,
    local_part: str,
    round_trips: int,
) -> None:
    user = make_user("ann")
    if local_part.startswith("postmaster"):
        people.create_alias(f"postmaster@{user.domain}", user)
    found(database, f"{local_part}@{user.domain}")  # once, so that the statements are prepared
    with counted(database) as counts:
        found(database, f"{local_part}@{user.domain}")
    assert counts == [round_trips]


def test_membership_of_an_alias_is_the_user(
    database: Database, make_user: MakeUser, make_alias: MakeAlias, make_group: MakeGroup
) -> None:
    user = make_user()
    alias = make_alias(user)
    group = make_group()
    assert membership.add_member(group, str(alias)).user == user


def test_what_is_set_about_spam_is_the_users_or_else_the_domains(
    database: Database,
    make_user: MakeUser,
    make_app: MakeApp,
    make_group: MakeGroup,
) -> None:
    ann = make_user(is_admin=True)
    domain = ann.domain
    domain.spam_threshold, domain.refuse_threshold, domain.refuse_dmarc_failures = 4.0, 12.0, True
    domain.save()
    bob, app = make_user(domain=domain), make_app(domain=domain).app
    ann.spam_threshold, ann.refuse_threshold, ann.filter_spam_too = 7.5, 20.0, True
    ann.save()
    domain.catch_all.add(ann.mailbox, bob.mailbox)
    anns, the_domains = SpamSettings(7.5, 20.0, True, True), SpamSettings(4.0, 12.0, False, True)
    expected = {ann.mailbox.pk: anns, bob.mailbox.pk: the_domains}
    for user in (ann, bob):
        found = entry(database, user.address)
        assert isinstance(found, UserEntry)
        assert found.mailbox.spam == expected[user.mailbox.pk]
    of_app = entry(database, app.address)
    assert isinstance(of_app, AppEntry)
    assert of_app.mailbox.spam == the_domains
    caught = entry(database, f"{unique('nobody')}@{domain}")
    assert isinstance(caught, CatchAllEntry)
    assert {one.id: one.spam for one in caught.mailboxes} == expected
    group = make_group(members=[ann.address, bob.address])
    members = directory.expand_group(database, group.pk).mailboxes
    assert {one.id: one.spam for one in members} == expected
