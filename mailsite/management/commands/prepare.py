"""`manage.py prepare`: what `serve` does before its services start, for those who start each service themselves."""

import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from mailsite.first_run import prepare_database
from mailsite.self_signed import ensure_certificate


class Command(BaseCommand):
    help = (
        "Migrate; make the first administrator and, unless one is set, a self-signed certificate."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        administrator = prepare_database(settings.MAIL_HOSTNAME)
        if administrator is not None:
            self.stdout.write(
                f"Administrator {administrator.address}, password {administrator.password}"
            )
        if not settings.CONFIGURATION.has_own_certificate:
            ensure_certificate(
                settings.TLS_CERT_FILE,
                settings.TLS_KEY_FILE,
                settings.MAIL_HOSTNAME,
                settings.BIND_ADDRESSES,
                datetime.datetime.now(datetime.UTC),
            )
