"""`manage.py runsieve`: ManageSieve, one process a core."""

import asyncio
import os
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from routing.sieve.language import standard
from transport.database_threads import DatabaseThreads
from transport.listeners import run_event_loop, run_workers, sockets_for
from transport.managesieve.server import ManageSieveServer
from transport.tls import server_context


class Command(BaseCommand):
    help = "Serve ManageSieve on SIEVE_PORT."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))

    def handle(self, *args: Any, **options: Any) -> None:
        sockets = sockets_for("sieve", settings.SIEVE_PORT)
        context = server_context()
        standard()  # loaded once, before the fork

        async def serve(stop: asyncio.Event) -> None:
            database = DatabaseThreads()
            server = ManageSieveServer(database)
            await server.start(sockets, context)
            await stop.wait()
            await server.stop()
            database.close()

        run_workers(lambda: run_event_loop(serve), options["processes"])
