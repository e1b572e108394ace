"""The administrator's Sieve scripts, for all mailboxes."""

from django.db import models
from django.db.models import Q

from routing.models.fields import ScriptNameField, digest_field


class GlobalScript(models.Model):
    """A script that runs before or after each user's own, or that theirs may include (`:global`, RFC 6609 §3.2).

    Several of one place run by name. Another than an enabled one does not exist for mail.
    """

    class Place(models.TextChoices):
        BEFORE = "before", "before each user's own script"
        AFTER = "after", "after each user's own script"
        LIBRARY = "library", "where a script includes it"

    place = models.CharField(max_length=10, choices=Place.choices)
    name = ScriptNameField()
    content = models.BinaryField()
    digest = digest_field()
    is_enabled = models.BooleanField("enabled", default=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "global Sieve script"
        ordering = ["place", "name"]
        constraints = [
            models.UniqueConstraint(fields=["place", "name"], name="one_global_script_a_name"),
            models.CheckConstraint(condition=~Q(name=""), name="global_script_has_a_name"),
        ]

    def __str__(self) -> str:
        return str(self.name)
