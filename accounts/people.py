"""Makes and removes who exists: domains, users, aliases, groups, apps. Admin and commands share it.

Works through the ORM on Django's connection, each service in one transaction. What conflicts raises Conflict
with one line for an administrator; the database has the last word (one_owner_an_address), so that a race ends
in the same exception.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.models import Alias, App, Credential, Domain, Group, GroupMember, Mailbox, User


class Conflict(Exception):
    """It exists already, or would be ambiguous; the message says what and why, in one line."""


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A generated secret, to be shown once."""

    credential: Credential
    secret: str


@dataclass(frozen=True, slots=True)
class NewApp:
    """An app just made, with its credentials: log in as `app.address` with `secret`."""

    app: App
    secret: str


def create_domain(name: str, *, mail_enabled: bool = False, is_default: bool = False) -> Domain:
    """A domain. The first one is the default in any case."""
    raise NotImplementedError


def create_user(
    address: str,
    password: str | None,
    *,
    full_name: str = "",
    is_admin: bool = False,
    quota_bytes: int | None = None,
) -> User:
    """A user `username@domain` with a mailbox and its default folders. The domain must exist.

    Without a password the user can log in with app passwords only.
    """
    raise NotImplementedError


def create_alias(address: str, user: User) -> Alias:
    """A further address of a user, in any domain that exists."""
    raise NotImplementedError


def create_group(address: str, members: Iterable[str] = (), *, description: str = "") -> Group:
    """A group; members are addresses of users, aliases, groups, or outside addresses."""
    raise NotImplementedError


def add_member(group: Group, address: str) -> GroupMember:
    """Put a user, a group or an outside address into a group; a loop is a Conflict."""
    raise NotImplementedError


def create_app(
    name: str, domain: Domain, *, local_part: str = "", display_name: str = ""
) -> NewApp:
    """An app with a mailbox and credentials; it sends as `<name>.app@domain` unless `local_part` is given."""
    raise NotImplementedError


def set_catch_all(domain: Domain, users: Iterable[User]) -> None:
    """Deliver mail to unknown addresses of the domain to these users; to nobody when there are none."""
    raise NotImplementedError


def create_app_password(user: User, label: str) -> NewSecret:
    """A password of a user for one program."""
    raise NotImplementedError


def regenerate_credentials(app: App) -> NewSecret:
    """New credentials of an app; the old ones end at once."""
    raise NotImplementedError


def delete_user(user: User, *, keep_mail: bool) -> None:
    """Remove a user with aliases and memberships. Kept mail stays in its mailbox, without an owner."""
    raise NotImplementedError


def delete_app(app: App, *, keep_mail: bool) -> None:
    """Remove an app, as `delete_user`."""
    raise NotImplementedError


def find_user(address: str) -> User:
    """The user of a primary address or alias; raises Conflict with one line when there is none."""
    raise NotImplementedError
