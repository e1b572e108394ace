"""Apps: programs that send mail, with credentials of their own."""

from django.db import models

from accounts.models.domain import Domain
from accounts.models.fields import LocalPartField
from accounts.models.sending import SendingLimits
from accounts.scram import new_salt


class App(SendingLimits):
    """A program that sends as `<name>.app@domain`, or as the local part set here.

    It receives only while its domain has mail enabled.
    """

    domain = models.ForeignKey(Domain, on_delete=models.PROTECT, related_name="apps")
    name = LocalPartField(max_length=60)
    local_part = LocalPartField(
        "address", help_text="The part before the @ that the app sends as.", blank=True
    )
    display_name = models.CharField(
        max_length=200, blank=True, help_text="Shown beside the address in From."
    )
    is_active = models.BooleanField("active", default=True)
    scram_salt = models.BinaryField(max_length=16, default=new_salt, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["domain__name", "name"]
        constraints = [models.UniqueConstraint(fields=["domain", "name"], name="one_app_a_name")]

    def __str__(self) -> str:
        return self.address

    @property
    def address(self) -> str:
        """What the app sends as; also its login."""
        return f"{self.local_part or self.name + '.app'}@{self.domain.name}"
