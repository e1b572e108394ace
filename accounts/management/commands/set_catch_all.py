"""Says who gets mail to addresses that nobody has."""

from typing import Any

from django.core.management.base import CommandParser

from accounts import people
from accounts.management.directory_command import DirectoryCommand


class Command(DirectoryCommand):
    help = (
        "Says who gets mail to addresses of a domain that nobody has; each user gets a copy.\n"
        "Without a user such mail is refused, as at the beginning."
    )
    examples = (
        "  manage.py set_catch_all example.org ann@example.org\n"
        "  manage.py set_catch_all example.org"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("domain", help="a domain that exists")
        parser.add_argument("users", nargs="*", metavar="user", help="an address of a user")

    def change(self, *, domain: str, users: list[str], **_: Any) -> None:
        found = people.find_domain(domain)
        receivers = [people.find_user(user) for user in users]
        people.set_catch_all(found, receivers)
        if receivers:
            names = ", ".join(user.address for user in receivers)
            self.say(f"Mail to unknown addresses of {found} goes to {names}.")
        else:
            self.say(f"Mail to unknown addresses of {found} is refused.")
