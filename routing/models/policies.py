"""How the administrator has set the policies of port 25, and whom he has listed."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from routing.policies.sender_lists import canonical_entry


class PolicySetting(models.Model):
    """The mode of one policy, and its number where it has one; without a row, or number, it is as it comes."""

    class Mode(models.TextChoices):
        ON = "on", "on"
        NOTE = "note", "only note it"
        OFF = "off", "off"

    name = models.CharField(max_length=50, primary_key=True, editable=False)
    mode = models.CharField(max_length=4, choices=Mode)
    number = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        verbose_name = "policy"
        verbose_name_plural = "policies"
        ordering = ["name"]

    def __str__(self) -> str:
        return str(self.name)


class ListedSender(models.Model):
    """Who is blocked, or let in whatever else speaks against it."""

    class Kind(models.TextChoices):
        BLOCK = "block", "block"
        ALLOW = "allow", "allow"

    kind = models.CharField("list", max_length=5, choices=Kind)
    value = models.CharField(
        "sender",
        max_length=320,
        help_text="An IP address, a network (192.0.2.0/24), a domain (with its subdomains) or a mail address.",
    )
    reason = models.CharField(
        max_length=200, blank=True, help_text="Of a block: the sender is told it in the refusal."
    )
    expires_at = models.DateTimeField("until", null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True, editable=False)
    hits = models.BigIntegerField(default=0, db_default=0, editable=False)
    last_hit_at = models.DateTimeField("last hit", null=True, editable=False)

    class Meta:
        verbose_name = "listed sender"
        ordering = ["kind", "value"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "value"], name="listed_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["block", "allow"]), name="listed_to_block_or_allow"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"

    def clean_fields(self, exclude: Any = None) -> None:
        """Keep the canonical form, before it is checked that it is there once."""
        super().clean_fields(exclude)
        try:
            self.value = canonical_entry(self.value)
        except ValueError as error:
            raise ValidationError({"value": str(error)}) from None
