"""`manage.py runsmtp`: the SMTP listeners, on 25, 587 and 465 or what the settings say."""

import asyncio
import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from transport.database_threads import DatabaseThreads
from transport.listeners import run_event_loop, run_workers, sockets_for
from transport.notifier import Notifier
from transport.smtp.listening import SMTP, SUBMISSION, SUBMISSIONS, serve_until
from transport.smtp.service import SmtpService
from transport.tls import server_context


class Command(BaseCommand):
    help = "Take mail: SMTP from other servers, submission from mail clients and apps."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--processes", type=int, default=os.cpu_count() or 1, help="one a core, unless told"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        server_context()  # a certificate that cannot be read stops the start, not the first connection
        sockets = {
            SMTP: sockets_for("smtp", settings.SMTP_PORT),
            SUBMISSION: sockets_for("submission", settings.SUBMISSION_PORT),
            SUBMISSIONS: sockets_for("submissions", settings.SUBMISSIONS_PORT),
        }

        async def serve(stop: asyncio.Event) -> None:
            database = DatabaseThreads()
            notifier = Notifier(database, listen=False)
            await notifier.open()
            await serve_until(stop, SmtpService(database, notifier, server_context()), sockets)
            await notifier.close()
            database.close()

        run_workers(lambda: run_event_loop(serve), options["processes"])
