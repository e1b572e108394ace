"""Adds a group."""

from typing import Any

from django.core.management.base import CommandParser

from accounts import membership
from accounts.management.directory_command import DirectoryCommand


class Command(DirectoryCommand):
    help = (
        "Adds a group: mail to its address reaches every member. A member is a user or another\n"
        "group (by any address here), or an address elsewhere."
    )
    examples = (
        "  manage.py add_group team@example.org ann@example.org bob@example.org guest@example.com"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="the group's address")
        parser.add_argument("members", nargs="+", metavar="member", help="whom it reaches")

    def change(self, *, address: str, members: list[str], **_: Any) -> None:
        group = membership.create_group(address, members)
        count = len(members)
        self.say(f"Added the group {group} with {count} member{'' if count == 1 else 's'}.")
