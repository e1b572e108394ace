"""Makes who exists: domains, users, aliases, apps and their secrets. Admin and commands share it.

Works through the ORM on Django's connection, each service in one transaction. What conflicts raises Conflict
with one line for an administrator; the database has the last word (`accounts.namespace`), so that a race ends
in the same exception. Groups are in `accounts.membership`, deletions in `accounts.removal`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connection

from accounts.addresses import Address as ParsedAddress
from accounts.addresses import AddressSyntaxError, canonical_local_part, parse_address
from accounts.mailstore.folders import create_default_folders
from accounts.mailstore.values import MailboxId
from accounts.models import Alias, App, Credential, Domain, Mailbox, User
from accounts.namespace import Conflict, one_change, taken
from accounts.scram import make_verifier
from accounts.secrets import generate_secret, secret_sha256


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
    domain = Domain(name=name, mail_enabled=mail_enabled, is_default=is_default)
    save_domain(domain)
    return domain


def save_domain(domain: Domain) -> None:
    """Save a domain, new or changed; when it is the default, no other stays so."""
    with one_change(str(domain.name)):
        if domain.is_default:
            Domain.objects.filter(is_default=True).exclude(pk=domain.pk).update(is_default=False)
        elif not Domain.objects.filter(is_default=True).exclude(pk=domain.pk).exists():
            domain.is_default = True
        domain.clean_fields()
        if Domain.objects.filter(name=domain.name).exclude(pk=domain.pk).exists():
            raise Conflict(f"The domain {domain.name} exists already.")
        domain.save()


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
    domain, parsed = parse_local(address)
    user = User(domain=domain, username=parsed.local_part, full_name=full_name, is_staff=is_admin)
    user.set_password(password)
    save_new_user(user, quota_bytes=quota_bytes)
    return user


def save_new_user(user: User, *, quota_bytes: int | None = None) -> None:
    """Save a user who has a password set, with a mailbox and its default folders."""
    with one_change(user.address):
        user.clean_fields()
        refuse_taken(user.domain, user.username)
        user.save()
        _create_mailbox(user.address, quota_bytes, user=user)


def create_alias(address: str, user: User) -> Alias:
    """A further address of a user, in any domain that exists."""
    domain, parsed = parse_local(address)
    alias = Alias(domain=domain, local_part=parsed.local_part, user=user)
    with one_change(str(parsed)):
        alias.clean_fields()
        refuse_taken(domain, alias.local_part)
        alias.save()
    return alias


def create_app(
    name: str, domain: Domain, *, local_part: str = "", display_name: str = ""
) -> NewApp:
    """An app with a mailbox and credentials; it sends as `<name>.app@domain` unless `local_part` is given."""
    return save_new_app(
        App(domain=domain, name=name, local_part=local_part, display_name=display_name)
    )


def save_new_app(app: App) -> NewApp:
    """Save an app, with a mailbox and its first credentials."""
    with one_change(app.name):
        app.clean_fields()
        if App.objects.filter(domain=app.domain, name=app.name).exists():
            raise Conflict(f"An app {app.name} exists in {app.domain.name} already.")
        refuse_taken(app.domain, app.address.rpartition("@")[0])
        app.save()
        _create_mailbox(app.address, None, app=app)
        return NewApp(app, _create_credential("", app=app).secret)


def create_app_password(user: User, label: str) -> NewSecret:
    """A password of a user for one program."""
    with one_change(label):
        return _create_credential(label, user=user)


def regenerate_credentials(app: App) -> NewSecret:
    """New credentials of an app; the old ones end at once."""
    with one_change(app.name):
        app.credentials.all().delete()
        return _create_credential("", app=app)


def set_catch_all(domain: Domain, users: Iterable[User]) -> None:
    """Deliver mail to unknown addresses of the domain to these users; to nobody when there are none."""
    with one_change(domain.name):
        domain.catch_all.set([user.mailbox for user in users])


def find_user(address: str) -> User:
    """The user of a primary address or alias; raises Conflict with one line when there is none."""
    domain, parsed = parse_local(address)
    user = User.objects.filter(
        addresses__domain=domain, addresses__local_part=canonical_local_part(parsed.local_part)
    ).first()
    if user is None:
        raise Conflict(f"There is no user {parsed}.")
    return user


def find_domain(name: str) -> Domain:
    """The domain of that name; raises Conflict with one line when there is none."""
    domain = Domain.objects.filter(name=name).first()
    if domain is None:
        raise Conflict(f"There is no domain {name}: add it first.")
    return domain


def parse_local(address: str) -> tuple[Domain, ParsedAddress]:
    """An address in a domain that exists; raises Conflict."""
    try:
        parsed = parse_address(address)
    except AddressSyntaxError as error:
        raise Conflict(f"{str(error)[0].upper()}{str(error)[1:]}.") from None
    return find_domain(parsed.domain), parsed


def refuse_taken(domain: Domain, local_part: str) -> None:
    """Raise Conflict when somebody has the address."""
    explanation = taken(domain, local_part)
    if explanation:
        raise Conflict(explanation)


def raw_connection() -> psycopg.Connection[Any]:
    """Django's own connection as services take it: what they write is in Django's transaction."""
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    return raw


def _create_mailbox(name: str, quota_bytes: int | None, **owner: Any) -> None:
    mailbox = Mailbox.objects.create(name=name, quota_bytes=quota_bytes, **owner)
    create_default_folders(raw_connection(), MailboxId(mailbox.pk))


def _create_credential(label: str, **owner: Any) -> NewSecret:
    secret = generate_secret()
    digest = secret_sha256(secret)
    (holder,) = owner.values()
    verifier = make_verifier(secret, bytes(holder.scram_salt), digest)
    credential = Credential(
        label=label,
        secret_sha256=digest,
        scram_verifier=verifier.to_bytes() if verifier else b"",
        **owner,
    )
    credential.save()
    return NewSecret(credential, secret)
