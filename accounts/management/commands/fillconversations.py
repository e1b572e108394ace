"""manage.py fillconversations: conversations for mail that came before the server knew them."""

from typing import Any

from accounts.mailbox_command import MailboxCommand
from accounts.mailstore.conversations import fill_conversations


class Command(MailboxCommand):
    """A thin shell around accounts.mailstore.conversations; it may run while mail comes in, and be stopped."""

    help = "Find the conversation of each message that has none, and its values for SORT=DISPLAY."

    def handle(self, *args: Any, **options: Any) -> None:
        db = self.connect()
        mailboxes = self.chosen(db, options["mailbox"])
        total = 0
        for owner in mailboxes:
            while filled := fill_conversations(db, owner):
                total += filled
        self.stdout.write(f"{total} messages of {len(mailboxes)} mailboxes are in conversations")
