"""The commands that go through mailboxes: some, named by their addresses, or all."""

from argparse import ArgumentParser
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from accounts.mailstore.consistency import mailboxes_named
from accounts.mailstore.values import MailboxId


class MailboxCommand(BaseCommand):
    """A subclass's `handle` asks `connect` and `chosen`."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("mailbox", nargs="*", help="addresses; without any, every mailbox")

    def connect(self) -> psycopg.Connection[Any]:
        connection.ensure_connection()
        db: psycopg.Connection[Any] = connection.connection
        return db

    def chosen(self, db: psycopg.Connection[Any], names: list[str]) -> dict[MailboxId, str]:
        """The mailboxes with their names. Raises CommandError for one that does not exist."""
        mailboxes = mailboxes_named(db, names)
        unknown = set(names) - set(mailboxes.values())
        if unknown:
            raise CommandError(f"no such mailbox: {', '.join(sorted(unknown))}")
        return mailboxes
