"""manage.py rerender: derive ENVELOPE, BODYSTRUCTURE, part offsets and search text again, after a fix of their code."""

from argparse import ArgumentParser
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from accounts.mailstore.consistency import mailboxes_named
from accounts.mailstore.rendering import messages_of, render_again


class Command(BaseCommand):
    """A thin shell around accounts.mailstore.rendering."""

    help = "Derive again, from the messages as they came, what IMAP clients are told of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("mailbox", nargs="*", help="addresses; without any, every mailbox")

    def handle(self, *args: Any, **options: Any) -> None:
        connection.ensure_connection()
        db: psycopg.Connection[Any] = connection.connection
        mailboxes = mailboxes_named(db, options["mailbox"])
        unknown = set(options["mailbox"]) - set(mailboxes.values())
        if unknown:
            raise CommandError(f"no such mailbox: {', '.join(sorted(unknown))}")
        total = 0
        for owner in mailboxes:
            for message, blob in messages_of(db, owner):
                render_again(db, owner, message, blob)
                total += 1
        self.stdout.write(f"{total} messages of {len(mailboxes)} mailboxes rendered")
