"""Adds a domain."""

from typing import Any

from django.core.management.base import CommandParser

from accounts import people
from accounts.management.directory_command import DirectoryCommand


class Command(DirectoryCommand):
    help = (
        "Adds a domain. Until mail is enabled only its apps send; enabling it lets users send and\n"
        "receive, and apps receive. The first domain is the default: its users may log in by their\n"
        "bare username."
    )
    examples = "  manage.py add_domain example.org --enable-mail --default"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="such as example.org; an international name is fine")
        parser.add_argument(
            "--enable-mail", action="store_true", help="let it receive mail at once"
        )
        parser.add_argument("--default", action="store_true", help="make it the default domain")

    def change(self, *, name: str, enable_mail: bool, default: bool, **_: Any) -> None:
        domain = people.create_domain(name, mail_enabled=enable_mail, is_default=default)
        mail = "mail enabled" if domain.mail_enabled else "mail not enabled: only its apps send"
        self.say(f"Added the domain {domain.name} ({mail}).")
