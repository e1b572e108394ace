"""Whom an address reaches, against the real directory."""

from accounts.addresses import Address, parse_address
from accounts.directory import srs_address
from routing.decisions import Elsewhere, Reached, Unreachable
from routing.resolution import resolve


def owners(resolution: object) -> set[int]:
    assert isinstance(resolution, Reached)
    return {mailbox.id for mailbox in resolution.mailboxes}


def test_exact_then_tag_then_catch_all(database, make_user, make_alias) -> None:
    user = make_user()
    other = make_user(domain=user.domain)
    alias = make_alias(user)
    for text in (
        user.address,
        user.address.upper(),
        str(alias),
        f"{alias.local_part}+tag@{user.domain.name}",
    ):
        assert owners(resolve(database, parse_address(text), is_bounce=False)) == {user.mailbox.id}
    nobody = Address("nobody", user.domain.name)
    assert resolve(database, nobody, is_bounce=False) is Unreachable.UNKNOWN
    user.domain.catch_all.add(other.mailbox)
    assert owners(resolve(database, nobody, is_bounce=False)) == {other.mailbox.id}


def test_a_group_of_groups_that_names_a_local_address_as_an_outside_one(
    database, make_user, make_group
) -> None:
    user = make_user()
    inner = make_group(domain=user.domain, members=[user.address, "x@out.example"])
    outer = make_group(domain=user.domain, members=[inner.address, "y@out.example"])
    resolution = resolve(database, parse_address(outer.address), is_bounce=False)
    assert owners(resolution) == {user.mailbox.id}
    assert isinstance(resolution, Reached)
    assert {str(address) for address in resolution.outside} == {"x@out.example", "y@out.example"}
    assert resolution.forwarder == user.domain.name


def test_a_group_of_nobody_is_unknown(database, make_group) -> None:
    group = make_group(members=[])
    assert resolve(database, parse_address(group.address), is_bounce=False) is Unreachable.UNKNOWN


def test_a_domain_of_others_and_one_without_mail_are_elsewhere(database, make_domain) -> None:
    domain = make_domain(mail_enabled=False)
    for name in ("out.example", domain.name):
        assert resolve(database, Address("a", name), is_bounce=False) == Elsewhere()


def test_an_app_receives_only_while_its_domain_has_mail(database, make_app, orm) -> None:
    made = make_app()
    address = parse_address(made.app.address)
    assert owners(resolve(database, address, is_bounce=False)) == {made.app.mailbox.id}
    made.app.is_active = False
    made.app.save()
    assert resolve(database, address, is_bounce=False) is Unreachable.DISABLED


def test_only_a_bounce_reaches_an_srs_address(database, make_domain, make_user) -> None:
    domain = make_domain()
    stands_for = srs_address(database, domain.name, "a@out.example")
    assert resolve(database, stands_for, is_bounce=False) is Unreachable.UNKNOWN
    assert resolve(database, stands_for, is_bounce=True) == Reached(
        (), (Address("a", "out.example"),)
    )
    user = make_user()
    local = srs_address(database, domain.name, user.address)
    assert owners(resolve(database, local, is_bounce=True)) == {user.mailbox.id}
