"""Tries a Sieve script on a message."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from accounts import people
from accounts.models import User
from accounts.namespace import Conflict
from routing.dry_run.report import Role, error_report, outcome, trace_report
from routing.dry_run.running import dry_run, likely_envelope, with_crlf
from routing.envelope import Client
from routing.filtering.deciding import environment_of
from routing.filtering.host import MailboxHost
from routing.sieve.host import Alone, Host
from routing.sieve.limits import SCRIPT_SIZE_MAXIMUM
from routing.sieve.message import Message
from transport.management.sieve_command import SieveCommand, mailbox_of, script_of

STANDARD_INPUT = "-"
NOBODY = Client("", "", "")


class Command(SieveCommand):
    help = (
        "Shows what a Sieve script would do with a message, and why: each line that runs, each test\n"
        "with its answer and the values that were compared, and the actions in plain words. Nothing\n"
        "is filed, sent or remembered. A script that is broken is told with all its errors, as\n"
        "file:line:column: message. Exit code 1 when it is broken, or fails as it runs."
    )
    examples = (
        "  manage.py sieve_test rules.sieve message.eml\n"
        "  manage.py sieve_test ann@example.org message.eml     the script that is active there\n"
        "  manage.py sieve_test rules.sieve - < message.eml --envelope-to ann+lists@example.org\n"
        "\n"
        "  With the script   require \"fileinto\";\n"
        "                    if header :contains \"list-id\" \"django\" { fileinto \"Lists/django\"; }\n"
        "  it answers\n"
        "     2 | if header :contains \"list-id\" \"django\" { fileinto \"Lists/django\"; }\n"
        "         header is true\n"
        "           \"Django users <django-users.example.org>\" fits \"django\"\n"
        "         -> file into \"Lists/django\""
    )  # fmt: skip

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "script",
            metavar="SCRIPT",
            help="a file, - for standard input, or the address of a user: the script active there",
        )
        parser.add_argument(
            "message", metavar="MESSAGE", help="a file (.eml), or - for standard input"
        )
        parser.add_argument(
            "--envelope-from",
            metavar="ADDRESS",
            help="the reverse-path, '' for none; else the message's Return-Path, Sender or From",
        )
        parser.add_argument(
            "--envelope-to",
            metavar="ADDRESS",
            help="the recipient; else the user, or the message's Delivered-To or To",
        )
        parser.add_argument(
            "--user",
            metavar="ADDRESS",
            help="tests ask about this user's folders, lists and memories (they are only read)",
        )

    def change(
        self,
        *,
        script: str,
        message: str,
        envelope_from: str | None,
        envelope_to: str | None,
        user: str | None,
        **_: Any,
    ) -> None:
        if script == message == STANDARD_INPUT:
            raise Conflict("Only one of the two can come on standard input.")
        owner = people.find_user(user) if user else None
        if script != STANDARD_INPUT and "@" in script and not Path(script).exists():
            scripted = people.find_user(script)
            owner = owner or scripted
            name, text = script_of(scripted)
        else:
            name, text = script, _read(script, SCRIPT_SIZE_MAXIMUM)
        mail = Message(with_crlf(_read(message, settings.MAX_MESSAGE_SIZE)))
        if envelope_to is None and owner is not None:
            envelope_to = str(owner.address)
        envelope = likely_envelope(mail, envelope_from, envelope_to)
        run = dry_run(text, mail, envelope, _host(owner), environment_of(NOBODY))
        self.show(error_report(name, run.text, run.warnings, is_warning=True), to_errors=True)
        if run.result is None:
            self.refuse(name, run.text, run.errors)
        self.show(
            [(Role.HEAD, f"From <{envelope.sender}> to <{envelope.recipient}>"), (Role.NOTE, "")]
        )
        self.show(trace_report(run))
        self.show([(Role.NOTE, ""), (Role.HEAD, "What would be done:")])
        self.show((role, f"  {text}") for role, text in outcome(run, mail))
        if run.result.error:
            sys.exit(1)


def _host(owner: User | None) -> Host:
    if owner is None:
        return Alone()
    return MailboxHost(people.raw_connection(), mailbox_of(owner))


def _read(name: str, maximum: int) -> bytes:
    """A file's octets. Raises Conflict."""
    try:
        if name == STANDARD_INPUT:
            content = sys.stdin.buffer.read(maximum + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(maximum + 1)
    except OSError as error:
        raise Conflict(f"{name}: {error.strerror}") from None
    if len(content) > maximum:
        raise Conflict(f"{name}: more than {maximum} octets")
    return content
