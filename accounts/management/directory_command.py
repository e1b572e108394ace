"""What the commands that make domains, users, groups and apps have in common."""

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.namespace import Conflict


class DirectoryCommand(BaseCommand):
    """Says what it did in one line, or why it did nothing: one line on stderr and exit code 1.

    `examples` end the command's --help.
    """

    requires_system_checks = []
    examples = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name,
            subcommand,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            epilog=f"examples:\n{self.examples}" if self.examples else None,
            **kwargs,
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.change(**options)
        except Conflict as conflict:
            raise CommandError(str(conflict)) from None

    def change(self, *_: Any, **options: Any) -> None:
        """Do it; a Conflict becomes the command's error."""
        raise NotImplementedError

    def say(self, line: str) -> None:
        """One line for the administrator."""
        self.stdout.write(line)


def read_password() -> str:
    """The first line of standard input; raises Conflict when it is empty."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise Conflict("No password came on standard input.")
    return password
