"""Users' own Sieve scripts."""

from django.db import models
from django.db.models import Q

from accounts.models import Mailbox
from routing.models.fields import ScriptNameField, digest_field


class Script(models.Model):
    """A script of a mailbox, as it came. `routing.scripts.storage` keeps the bounds; mail goes through the active one."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="scripts")
    name = ScriptNameField()
    content = models.BinaryField()
    digest = digest_field()
    is_active = models.BooleanField("active", default=False)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "Sieve script"
        ordering = ["mailbox", "name"]
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "name"], name="one_script_a_name"),
            models.UniqueConstraint(
                fields=["mailbox"], condition=Q(is_active=True), name="one_active_script"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="script_has_a_name"),
        ]

    def __str__(self) -> str:
        return str(self.name)
