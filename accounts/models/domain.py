"""Domains: what is local, and what an administrator switches for each."""

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from accounts.models.fields import DomainNameField

if TYPE_CHECKING:
    from accounts.models.mailbox import Mailbox


class Domain(models.Model):
    """A domain that this installation knows. Local, as SMTP means it, only while `mail_enabled`."""

    name = DomainNameField(unique=True)
    mail_enabled = models.BooleanField(
        "mail enabled",
        default=False,
        help_text="Users send and receive, and apps receive. While off, only the domain's apps send.",
    )
    is_default = models.BooleanField(
        "default domain",
        default=False,
        help_text="Its users may log in by their bare username.",
    )
    validate_app_from = models.BooleanField(
        "check From of apps",
        default=True,
        help_text="Apps may write only their own address into From. While off, any address.",
    )
    catch_all: "models.ManyToManyField[Mailbox, Any]" = models.ManyToManyField(
        "Mailbox",
        blank=True,
        related_name="catch_all_of",
        help_text="Mail to an address that does not exist is delivered here. None: it is refused.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_domain"
            )
        ]

    def __str__(self) -> str:
        return str(self.name)
