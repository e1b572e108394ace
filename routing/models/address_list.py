"""A user's own lists of addresses, which scripts ask by name (RFC 6134)."""

from django.core.exceptions import ValidationError
from django.db import models

from accounts.models import Mailbox

NAME_MAXIMUM = 200
MEMBERS_MAXIMUM = 1000


def validate_members(value: str) -> None:
    if len(value.split()) > MEMBERS_MAXIMUM:
        raise ValidationError(f"a list has {MEMBERS_MAXIMUM} members at most")


class AddressList(models.Model):
    """`name` is what a script says: `:addrbook:default` or another name. One member a line, an address or a domain."""

    mailbox = models.ForeignKey(Mailbox, on_delete=models.CASCADE, related_name="address_lists")
    name = models.CharField(max_length=NAME_MAXIMUM)
    members = models.TextField(
        blank=True, validators=[validate_members], help_text="One address a line."
    )

    class Meta:
        verbose_name = "address list"
        ordering = ["mailbox", "name"]
        constraints = [
            models.UniqueConstraint(fields=["mailbox", "name"], name="one_address_list_a_name"),
            models.CheckConstraint(condition=~models.Q(name=""), name="address_list_has_a_name"),
        ]

    def __str__(self) -> str:
        return str(self.name)
