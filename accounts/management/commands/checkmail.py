"""manage.py checkmail: the invariants of stored mail, on live data. Exit code 1 when one is broken."""

import sys
from argparse import ArgumentParser
from typing import Any

from accounts.mailbox_command import MailboxCommand
from accounts.mailstore.consistency import check_mailbox, check_shared
from accounts.mailstore.values import MailboxId

SHOWN_A_MAILBOX = 20


class Command(MailboxCommand):
    """A thin shell around accounts.mailstore.consistency."""

    help = "Check stored mail: counts, modseqs, change rows, quota, blobs, rendered rows, orphans."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--no-progress", action="store_true", help="print the table alone")

    def handle(self, *args: Any, **options: Any) -> None:
        db = self.connect()
        mailboxes = self.chosen(db, options["mailbox"])
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
