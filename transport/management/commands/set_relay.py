"""Sets the relay that outbound mail goes through."""

from typing import Any

from django.core.management.base import CommandParser

from accounts import people
from accounts.management.directory_command import DirectoryCommand, read_password
from accounts.namespace import Conflict
from transport.models import Relay
from transport.relays import parse_host_port, set_relay


class Command(DirectoryCommand):
    help = (
        "Sends outbound mail through a relay (a smart host) instead of to the recipients' MX hosts:\n"
        "that of one domain, or of every domain that has no relay of its own. Replaces the one that\n"
        "was set. TLS is required when there is a user, a CA file, or port 465; otherwise STARTTLS is\n"
        "used where the relay offers it."
    )
    examples = (
        "  echo secret | manage.py set_relay smtp.example.net --user me --password-stdin\n"
        "  manage.py set_relay --domain example.org 192.0.2.1:2525\n"
        "  manage.py set_relay '[2001:db8::1]:25' --ca-file /etc/ssl/relay.pem"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("relay", metavar="HOST[:PORT]", help="port 587 unless given")
        parser.add_argument("--domain", metavar="NAME", help="only for this sending domain")
        parser.add_argument("--user", default="", metavar="U", help="the relay asks for a login")
        parser.add_argument(
            "--password-stdin",
            action="store_true",
            help="read the user's password from standard input: one line",
        )
        parser.add_argument(
            "--ca-file", default="", metavar="F", help="certificates to trust, in PEM"
        )
        parser.add_argument(
            "--tls", default="", choices=Relay.Tls.values, help="in place of the rule above"
        )

    def change(
        self,
        *,
        relay: str,
        domain: str | None,
        user: str,
        password_stdin: bool,
        ca_file: str,
        tls: str,
        **_: Any,
    ) -> None:
        host, port = parse_host_port(relay)
        if bool(user) != password_stdin:
            raise Conflict("--user and --password-stdin go together.")
        made = set_relay(
            people.find_domain(domain) if domain else None,
            host,
            port,
            username=user,
            password=read_password() if password_stdin else "",
            ca_file=ca_file,
            tls=tls,
        )
        whose = f"Mail of {domain}" if domain else "Outbound mail"
        self.say(f"{whose} goes through {made}.")
