"""manage.py rerender: derive ENVELOPE, BODYSTRUCTURE, part offsets and search text again, after a fix of their code."""

from typing import Any

from accounts.mailbox_command import MailboxCommand
from accounts.mailstore.rendering import messages_of, render_again


class Command(MailboxCommand):
    """A thin shell around accounts.mailstore.rendering."""

    help = "Derive again, from the messages as they came, what IMAP clients are told of them."

    def handle(self, *args: Any, **options: Any) -> None:
        db = self.connect()
        mailboxes = self.chosen(db, options["mailbox"])
        total = 0
        for owner in mailboxes:
            for message, blob in messages_of(db, owner):
                render_again(db, owner, message, blob)
                total += 1
        self.stdout.write(f"{total} messages of {len(mailboxes)} mailboxes rendered")
