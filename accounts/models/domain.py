"""Domains: what is local, and what an administrator switches for each."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from accounts.models.fields import DomainNameField, ScoreField
from accounts.models.sending import SendingLimits

if TYPE_CHECKING:
    from accounts.models.mailbox import Mailbox


class Domain(SendingLimits):
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
    spam_threshold = ScoreField(
        default=5.0,
        db_default=5.0,
        help_text="A message with this score or more is filed in Spam. Each user may have another.",
    )
    refuse_threshold = ScoreField(
        null=True,
        blank=True,
        help_text="A message with this score or more is refused, when all its recipients refuse it. Empty: none is.",
    )
    refuse_dmarc_failures = models.BooleanField(
        "refuse what fails DMARC",
        default=False,
        db_default=False,
        help_text="Where the sender's domain asks for it. Mail from mailing lists may be lost: while off, it is filed in "
        "Spam, and refused only with a second sign against it.",
    )
    refuse_when_full = models.BooleanField(
        "refuse mail for full mailboxes",
        default=False,
        db_default=False,
        help_text="A full mailbox answers 552, and the sender hears of it at once. While off it answers 452: senders try "
        "again for some days.",
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

    def clean(self) -> None:
        if self.refuse_threshold is not None and self.refuse_threshold < self.spam_threshold:
            raise ValidationError(
                {
                    "refuse_threshold": "What is refused has to score higher than what is filed in Spam."
                }
            )
