"""The hint that a mailbox's folders, subscriptions, annotations or rights are not what they were (for RFC 5465).

It travels as the number of a folder that cannot be: the mailbox's own, negative. Like every hint it is never truth:
who hears it looks.
"""

from accounts.mailstore.values import FolderId, MailboxId


def mailbox_hint(mailbox: MailboxId) -> FolderId:
    """What to publish and to watch, of whoever sees the change in his list of folders: owner or reader."""
    return FolderId(-mailbox)
