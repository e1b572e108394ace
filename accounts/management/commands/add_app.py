"""Adds an app."""

from typing import Any

from django.core.management.base import CommandParser

from accounts import people
from accounts.management.directory_command import DirectoryCommand


class Command(DirectoryCommand):
    help = (
        "Adds an app: a program that sends mail as <name>.app@domain. Prints its credentials, once:\n"
        "what is kept of the password is a hash. New ones are made in the admin."
    )
    examples = (
        "  manage.py add_app shop example.org\n"
        "  manage.py add_app shop example.org --address orders --display-name 'Our shop'"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="such as shop")
        parser.add_argument("domain", help="a domain that exists; it need not have mail enabled")
        parser.add_argument(
            "--address",
            default="",
            metavar="LOCAL_PART",
            help="what it sends as, before the @, instead of <name>.app",
        )
        parser.add_argument("--display-name", default="", help="shown beside the address in From")

    def change(self, *, name: str, domain: str, address: str, display_name: str, **_: Any) -> None:
        new = people.create_app(
            name, people.find_domain(domain), local_part=address, display_name=display_name
        )
        self.say(f"username: {new.app.address}")
        self.say(f"password: {new.secret}")
