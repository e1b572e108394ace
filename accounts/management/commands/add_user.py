"""Adds a user."""

from typing import Any

from django.core.management.base import CommandParser

from accounts import people
from accounts.management.directory_command import DirectoryCommand, read_password


class Command(DirectoryCommand):
    help = "Adds a user with a mailbox. The domain must exist; the address must be nobody's."
    examples = (
        "  echo 'a long password' | manage.py add_user ann@example.org --password-stdin\n"
        "  manage.py add_user boss@example.org --password-stdin --admin < password.txt"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="the primary address, which is also the login")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            required=True,
            help="read the password from standard input: one line",
        )
        parser.add_argument("--admin", action="store_true", help="an administrator of this server")

    def change(self, *, address: str, admin: bool, **_: Any) -> None:
        user = people.create_user(address, read_password(), is_admin=admin)
        self.say(f"Added the {'administrator' if admin else 'user'} {user.address}.")
