"""Runs a user's Sieve script over mail that is there already."""

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.core.management.base import CommandParser

from accounts import people
from accounts.mailstore.folders import open_folder
from accounts.mailstore.values import INBOX, NoSuchFolder
from accounts.namespace import Conflict
from routing.dry_run.report import Role
from routing.filtering.host import MailboxHost
from routing.scripts.programs import compiled
from routing.sieve.errors import InvalidScript
from routing.sieve.trace import printable
from transport.management.sieve_command import SieveCommand, mailbox_of, script_of
from transport.old_mail.running import Done, OldMail

BAR = 30
SHOWN = 100  # rows of a table
INTERRUPTED = 130


class Command(SieveCommand):
    help = (
        "Runs the user's active script over the mail that is in a folder already. What it files is\n"
        "moved (copied with :copy, or where it keeps the message too), flags are added, what it\n"
        "discards is moved to Trash. Nothing is redirected, rejected, answered or notified, no message\n"
        "is edited and nothing is remembered for old mail: the table at the end says how often the\n"
        "script asked for it. A message for which the script fails stays where it is.\n"
        "It works in batches that other sessions see at once; stopped, it is run again to do the rest."
    )
    examples = (
        "  manage.py sieve_apply ann@example.org --dry-run      what would be done\n"
        "  manage.py sieve_apply ann@example.org\n"
        "  manage.py sieve_apply ann@example.org --folder Archive --script sort-lists"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", metavar="USER", help="an address of the user")
        parser.add_argument("--folder", default=INBOX, metavar="F", help="INBOX unless given")
        parser.add_argument(
            "--script", metavar="NAME", help="another of the user's scripts than the active one"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="change nothing, tell what would be done"
        )

    def change(
        self, *, user: str, folder: str, script: str | None, dry_run: bool, **_: Any
    ) -> None:
        owner = people.find_user(user)
        name, text = script_of(owner, script)
        try:
            program = compiled(text)
        except InvalidScript as invalid:
            self.refuse(name, text.decode("utf-8", "replace"), invalid.errors)
        db = people.raw_connection()
        mailbox = mailbox_of(owner)
        try:
            found = open_folder(db, mailbox, folder)
        except NoSuchFolder:
            raise Conflict(f"{owner} has no folder {folder}.") from None
        make_host = partial(MailboxHost, db, mailbox, remembers=False)
        work = OldMail(db, mailbox, str(owner.address), found, program, make_host, is_dry=dry_run)
        is_whole = self._run(work)
        done = "would be" if dry_run else "was"
        messages = f"{work.done.messages} message{'s' if work.done.messages != 1 else ''}"
        title = f'{messages} of {owner}, {found.name}, through "{name}"'
        self._report(f"{title}; this {done} done:", work.done)
        if not is_whole:
            self.show([(Role.ERROR, "Stopped; run it again to do the rest.")])
            sys.exit(INTERRUPTED)
        if work.done.failed:
            sys.exit(1)

    def _run(self, work: OldMail) -> bool:
        """Whether it came to the end."""
        uids = work.uids()
        shows_progress = self.stderr.isatty()
        try:
            for done in work.run(uids):
                if shows_progress:
                    bar = "#" * (BAR * done // len(uids))
                    self.stderr.write(f"\r\x1b[K[{bar:<{BAR}}] {done}/{len(uids)}", ending="")
                    self.stderr.flush()
        except KeyboardInterrupt:
            return False
        finally:
            if shows_progress:
                self.stderr.write("\r\x1b[K", ending="")
        return True

    def _report(self, title: str, done: Done) -> None:
        self.show([(Role.HEAD, title)])
        self._table(done.filed, Role.TRUE)
        if not done.filed:
            self.show([(Role.NOTE, "       -  nothing")])
        if done.left_undone:
            self.show([(Role.HEAD, "Asked for by the script, and never done for old mail:")])
            self._table(done.left_undone, Role.NOTE)
        if done.failed:
            self.show([(Role.ERROR, "Left where they are, because it failed:")])
            self._table(done.failed, Role.ERROR)

    def _table(self, counts: Mapping[str, int], role: Role) -> None:
        """The largest first."""
        rows = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
        self.show((role, f"{count:>8}  {printable(words)}") for words, count in rows[:SHOWN])
        if len(rows) > SHOWN:
            self.show([(role, f"          and {len(rows) - SHOWN} rows more")])
