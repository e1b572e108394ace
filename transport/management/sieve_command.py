"""What the commands about Sieve scripts have in common: whose script, how it is compiled, how lines are shown."""

from collections.abc import Iterable
from typing import Any, NoReturn

from django.core.management.base import CommandError
from django.core.management.color import no_style

from accounts import people
from accounts.mailstore.values import MailboxId
from accounts.management.directory_command import DirectoryCommand
from accounts.models import User
from accounts.namespace import Conflict
from routing.dry_run.report import Line, Role, error_report
from routing.scripts.storage import active_script, script
from routing.sieve.errors import ScriptError


class SieveCommand(DirectoryCommand):
    """Colours are for terminals alone."""

    def show(self, lines: Iterable[Line], *, to_errors: bool = False) -> None:
        stream = self.stderr if to_errors else self.stdout
        style: Any = self.style if stream.isatty() else no_style()
        colours = {
            Role.HEAD: style.MIGRATE_HEADING,
            Role.TRUE: style.SUCCESS,
            Role.FALSE: style.HTTP_NOT_MODIFIED,
            Role.ACTION: style.WARNING,
            Role.ERROR: style.ERROR,
        }
        for role, text in lines:
            stream.write(colours.get(role, str)(text), style_func=str)

    def refuse(self, name: str, text: str, errors: tuple[ScriptError, ...]) -> NoReturn:
        """Tell all errors of a script. Raises CommandError."""
        self.show(error_report(name, text, errors), to_errors=True)
        raise CommandError(f"{name} has {len(errors)} error{'s' if len(errors) != 1 else ''}.")


def mailbox_of(user: User) -> MailboxId:
    return MailboxId(user.mailbox.pk)


def script_of(user: User, name: str | None = None) -> tuple[str, bytes]:
    """Name and text of a user's script: the active one, or that of the name. Raises Conflict."""
    db = people.raw_connection()
    if name is None:
        found = active_script(db, mailbox_of(user))
        if found is None:
            raise Conflict(f"{user} has no active script.")
        return found
    text = script(db, mailbox_of(user), name)
    if text is None:
        raise Conflict(f"{user} has no script {name}.")
    return name, text
