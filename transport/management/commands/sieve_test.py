"""Tries a Sieve script on a message."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.color import no_style

from accounts import people
from accounts.mailstore.values import MailboxId
from accounts.management.directory_command import DirectoryCommand
from accounts.models import User
from accounts.namespace import Conflict
from routing.dry_run.report import Line, Role, error_report, outcome, trace_report
from routing.dry_run.running import dry_run, likely_envelope, with_crlf
from routing.scripts.storage import active_script
from routing.sieve.host import Alone, Host
from routing.sieve.limits import SCRIPT_SIZE_MAXIMUM

STANDARD_INPUT = "-"


class Command(DirectoryCommand):
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
            name, text = _active(scripted)
        else:
            name, text = script, _read(script, SCRIPT_SIZE_MAXIMUM)
        content = with_crlf(_read(message, settings.MAX_MESSAGE_SIZE))
        if envelope_to is None and owner is not None:
            envelope_to = str(owner.address)
        envelope = likely_envelope(content, envelope_from, envelope_to)
        run = dry_run(text, content, envelope, _host(owner))
        self._print(error_report(name, run.text, run.warnings, is_warning=True), to_errors=True)
        if run.result is None:
            self._print(error_report(name, run.text, run.errors), to_errors=True)
            count = len(run.errors)
            raise CommandError(f"{name} has {count} error{'s' if count != 1 else ''}.")
        self._print(
            [(Role.HEAD, f"From <{envelope.sender}> to <{envelope.recipient}>"), (Role.NOTE, "")]
        )
        self._print(trace_report(run))
        self._print([(Role.NOTE, ""), (Role.HEAD, "What would be done:")])
        self._print((role, f"  {text}") for role, text in outcome(run.result, content))
        if run.result.error:
            sys.exit(1)

    def _print(self, lines: Iterable[Line], *, to_errors: bool = False) -> None:
        stream = self.stderr if to_errors else self.stdout
        style = self.style if stream.isatty() else no_style()
        colours = {
            Role.HEAD: style.MIGRATE_HEADING,
            Role.TRUE: style.SUCCESS,
            Role.FALSE: style.HTTP_NOT_MODIFIED,
            Role.ACTION: style.WARNING,
            Role.ERROR: style.ERROR,
        }
        for role, text in lines:
            colour = colours.get(role, str)
            stream.write(colour(text), style_func=str)


def _host(owner: User | None) -> Host:
    return Alone()


def _active(user: User) -> tuple[str, bytes]:
    """The script that the user's mail goes through, and what to call it."""
    found = active_script(people.raw_connection(), MailboxId(user.mailbox.pk))
    if found is None:
        raise Conflict(f"{user} has no active script.")
    return found


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
