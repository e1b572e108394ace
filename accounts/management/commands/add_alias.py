"""Adds an alias."""

from typing import Any

from django.core.management.base import CommandParser

from accounts import people
from accounts.management.directory_command import DirectoryCommand


class Command(DirectoryCommand):
    help = "Gives a user a further address, in any domain that exists. It is no login."
    examples = "  manage.py add_alias sales@example.org ann@example.org"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="the new address")
        parser.add_argument("user", help="an address of the user who gets it")

    def change(self, *, address: str, user: str, **_: Any) -> None:
        alias = people.create_alias(address, people.find_user(user))
        self.say(f"Added {alias} as an alias of {alias.user}.")
