"""manage.py checkmail: the invariants of stored mail, on live data. Exit code 1 when one is broken."""

import sys
from argparse import ArgumentParser
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from accounts.mailstore.consistency import check_mailbox, check_shared, mailboxes_named
from accounts.mailstore.values import MailboxId

SHOWN_A_MAILBOX = 20


class Command(BaseCommand):
    """A thin shell around accounts.mailstore.consistency."""

    help = "Check stored mail: counts, modseqs, change rows, quota, blobs, rendered rows, orphans."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("mailbox", nargs="*", help="addresses; without any, every mailbox")
        parser.add_argument("--no-progress", action="store_true", help="print the table alone")

    def handle(self, *args: Any, **options: Any) -> None:
        connection.ensure_connection()
        db: psycopg.Connection[Any] = connection.connection
        mailboxes = mailboxes_named(db, options["mailbox"])
        unknown = set(options["mailbox"]) - set(mailboxes.values())
        if unknown:
            raise CommandError(f"no such mailbox: {', '.join(sorted(unknown))}")
        shows_progress = sys.stderr.isatty() and not options["no_progress"]
        found: dict[str, list[str]] = {}
        for done, (owner, name) in enumerate(mailboxes.items()):
            if shows_progress:
                self._draw(done, len(mailboxes), name)
            self._note(found, name, check_mailbox(db, MailboxId(owner)))
        if not options["mailbox"]:
            self._note(found, "(shared)", check_shared(db))
        if shows_progress:
            self.stderr.write("\r\x1b[K", ending="")
        self._report(len(mailboxes), found)
        if found:
            sys.exit(1)

    def _note(self, found: dict[str, list[str]], name: str, problems: list[str]) -> None:
        if problems:
            found[name] = problems

    def _draw(self, done: int, total: int, name: str) -> None:
        bar = "#" * (30 * done // total)
        self.stderr.write(f"\r\x1b[K[{bar:<30}] {done}/{total} {name}", ending="")
        self.stderr.flush()

    def _report(self, checked: int, found: dict[str, list[str]]) -> None:
        width = max(map(len, found), default=0)
        for name, problems in found.items():
            for problem in problems[:SHOWN_A_MAILBOX]:
                self.stdout.write(f"{name:<{width}}  {problem}")
            if len(problems) > SHOWN_A_MAILBOX:
                more = len(problems) - SHOWN_A_MAILBOX
                self.stdout.write(f"{name:<{width}}  and {more} more")
        broken = sum(map(len, found.values()))
        self.stdout.write(f"{checked} mailboxes checked, {broken} problems")
