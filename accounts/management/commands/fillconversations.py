"""manage.py fillconversations: conversations for mail that came before the server knew them."""

from argparse import ArgumentParser
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from accounts.mailstore.consistency import mailboxes_named
from accounts.mailstore.conversations import fill_conversations


class Command(BaseCommand):
    """A thin shell around accounts.mailstore.conversations; it may run while mail comes in, and be stopped."""

    help = "Find the conversation of each message that has none, and its values for SORT=DISPLAY."

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
            while filled := fill_conversations(db, owner):
                total += filled
        self.stdout.write(f"{total} messages of {len(mailboxes)} mailboxes are in conversations")
