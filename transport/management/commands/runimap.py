"""`manage.py runimap`: IMAP over TLS, one process a core."""

import asyncio
import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from transport.database_threads import DatabaseThreads
from transport.imap.server import ImapServer
from transport.listeners import run_event_loop, run_workers, sockets_for
from transport.notifier import Notifier
from transport.tls import server_context


class Command(BaseCommand):
    help = "Serve IMAP on IMAPS_PORT."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)

    def handle(self, *args: Any, **options: Any) -> None:
        sockets = sockets_for("imaps", settings.IMAPS_PORT)
        context = server_context()

        async def serve(stop: asyncio.Event) -> None:
            database = DatabaseThreads()
            notifier = Notifier(database)
            await notifier.open()
            server = ImapServer(database, notifier)
            await server.start(sockets, context)
            await stop.wait()
            await server.stop()
            await notifier.close()
            database.close()

        run_workers(lambda: run_event_loop(serve), options["processes"])
