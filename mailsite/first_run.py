"""What `serve` does to the database before anything runs: migrations, and somebody who can log in."""

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.core.management import call_command
from django.db import connection

ADVISORY_LOCK = 0x6D61696C  # "mail": of two servers that start on one database, one prepares it
EXAMPLE_DOMAIN = "example.test"
_HOST_PART = re.compile(r"(e?mail|mx|smtp|imap|host|server|vps)[0-9]*")


@dataclass(frozen=True, slots=True)
class FirstAdministrator:
    """Made just now; the password is shown once and kept nowhere."""

    address: str
    password: str


def prepare_database(hostname: str) -> FirstAdministrator | None:
    """Migrate, if need be, and make the first administrator and domain in a database without users."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        try:
            if not is_migrated():
                call_command("migrate", verbosity=0, interactive=False)
            cursor.execute("SELECT EXISTS (SELECT FROM accounts_user)")
            (has_users,) = cursor.fetchone()
            return None if has_users else _make_administrator(hostname)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [ADVISORY_LOCK])


def is_migrated() -> bool:
    """Whether every migration on disk is recorded: in milliseconds, as Django's own loader takes much longer."""
    on_disk = {
        (app.label, path.stem)
        for app in apps.get_app_configs()
        for path in Path(app.path, "migrations").glob("[!_]*.py")
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL")
        if not cursor.fetchone()[0]:
            return False
        cursor.execute("SELECT app, name FROM django_migrations")
        return on_disk <= set(cursor.fetchall())


def first_domain(hostname: str) -> str:
    """The domain that a host of this name serves: `mail.example.org` serves example.org."""
    if "." not in hostname:
        return EXAMPLE_DOMAIN
    host, _, rest = hostname.partition(".")
    return rest if "." in rest and _HOST_PART.fullmatch(host) else hostname


def _make_administrator(hostname: str) -> FirstAdministrator:
    from accounts import people
    from accounts.models import Domain

    domain = Domain.objects.order_by("-is_default", "pk").first()
    if domain is None:
        domain = people.create_domain(first_domain(hostname), mail_enabled=True, is_default=True)
    password = "-".join(secrets.token_hex(3) for _ in range(3))
    address = f"admin@{domain.name}"
    people.create_user(address, password, full_name="Administrator", is_admin=True)
    return FirstAdministrator(address, password)
