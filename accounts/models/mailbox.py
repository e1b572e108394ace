"""Mailboxes: what owns mail. Folders and messages hang on a mailbox id, never on a user."""

from django.db import models
from django.db.models import Q


class Mailbox(models.Model):
    """A mailbox of a user or of an app. It survives its owner when the mail is to be kept.

    `used_bytes` and `used_messages` are kept by `accounts.mailstore` in the transaction that changes them.
    `quota_warned_at`: its owner was told that it is nearly full, and it has not become much emptier since.
    """

    user = models.OneToOneField(
        "User", null=True, blank=True, on_delete=models.SET_NULL, related_name="mailbox"
    )
    app = models.OneToOneField(
        "App", null=True, blank=True, on_delete=models.SET_NULL, related_name="mailbox"
    )
    name = models.CharField(
        max_length=320, help_text="The owner's address when the mailbox was made."
    )
    quota_bytes = models.BigIntegerField(
        "quota in bytes", null=True, blank=True, help_text="Empty: no limit."
    )
    quota_messages = models.BigIntegerField(
        "quota in messages", null=True, blank=True, help_text="Empty: no limit."
    )
    used_bytes = models.BigIntegerField(default=0, editable=False)
    used_messages = models.BigIntegerField(default=0, editable=False)
    quota_warned_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "mailboxes"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True) | Q(app__isnull=True), name="one_owner_a_mailbox"
            )
        ]

    def __str__(self) -> str:
        return self.name
