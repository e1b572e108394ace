"""Fixtures that make domains, users, apps, groups and aliases with unique names, committed for real.

Loaded by tests/conftest.py. Each takes what matters to the test and invents the rest. They go through
`accounts.people`, as the admin and the commands do.
"""

import uuid
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from accounts import membership, people
from accounts.models import Alias, Domain, Group, User

PASSWORD = "correct horse battery staple"

MakeDomain = Callable[..., Domain]
MakeUser = Callable[..., User]
MakeApp = Callable[..., people.NewApp]
MakeGroup = Callable[..., Group]
MakeAlias = Callable[..., Alias]


def unique(prefix: str) -> str:
    """A name that no other test has."""
    return f"{prefix}{uuid.uuid4().hex[:10]}"


@pytest.fixture
def make_domain(orm: None) -> MakeDomain:
    """make_domain(name="", mail_enabled=True, is_default=False)"""

    def make(name: str = "", *, mail_enabled: bool = True, is_default: bool = False) -> Domain:
        return people.create_domain(
            name or f"{unique('d')}.example", mail_enabled=mail_enabled, is_default=is_default
        )

    return make


@pytest.fixture
def make_user(make_domain: MakeDomain) -> MakeUser:
    """make_user(username="", domain=None, password=PASSWORD, **what people.create_user takes)

    `user.mailbox.id` is the owner of the mail; `user.address` the primary address.
    """

    def make(
        username: str = "",
        domain: Domain | None = None,
        *,
        password: str | None = PASSWORD,
        **settings: Any,
    ) -> User:
        domain = domain or make_domain()
        return people.create_user(f"{username or unique('u')}@{domain.name}", password, **settings)

    return make


@pytest.fixture
def make_app(make_domain: MakeDomain) -> MakeApp:
    """make_app(name="", domain=None, **what people.create_app takes) -> NewApp(app, secret)"""

    def make(name: str = "", domain: Domain | None = None, **settings: Any) -> people.NewApp:
        return people.create_app(name or unique("a"), domain or make_domain(), **settings)

    return make


@pytest.fixture
def make_group(make_domain: MakeDomain) -> MakeGroup:
    """make_group(name="", domain=None, members=["address", ...])"""

    def make(name: str = "", domain: Domain | None = None, *, members: Iterable[str] = ()) -> Group:
        domain = domain or make_domain()
        return membership.create_group(f"{name or unique('g')}@{domain.name}", members)

    return make


@pytest.fixture
def make_alias(orm: None) -> MakeAlias:
    """make_alias(user, local_part="", domain=None): in the user's own domain unless told otherwise"""

    def make(user: User, local_part: str = "", domain: Domain | None = None) -> Alias:
        return people.create_alias(
            f"{local_part or unique('x')}@{(domain or user.domain).name}", user
        )

    return make
