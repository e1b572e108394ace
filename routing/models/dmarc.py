"""Whom the administrator believes, and whose wishes he does not follow, when DMARC fails."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from accounts.addresses import AddressSyntaxError, canonical_domain


class DomainRule(models.Model):
    """A rule for one domain, kept as A-labels."""

    domain = models.CharField(max_length=255, unique=True)
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        abstract = True
        ordering = ["domain"]

    def __str__(self) -> str:
        return str(self.domain)

    def clean_fields(self, exclude: Any = None) -> None:
        """Keep the canonical form, before it is checked that it is there once."""
        super().clean_fields(exclude)
        try:
            self.domain = canonical_domain(self.domain)
        except AddressSyntaxError as error:
            raise ValidationError({"domain": str(error)}) from None


class TrustedSealer(DomainRule):
    """A domain, such as a mailing list's, that is believed when it seals what it saw (RFC 8617 §7.2): d= of its ARC-Seal."""

    class Meta(DomainRule.Meta):
        verbose_name = "trusted ARC sealer"


class DmarcOverride(DomainRule):
    """The most that an author's domain, and those below it, may ask for."""

    class Policy(models.TextChoices):
        NONE = "none", "none: as if it asked for nothing"
        QUARANTINE = "quarantine", "quarantine: into Spam, never refused"

    policy = models.CharField("is treated as", max_length=10, choices=Policy)

    class Meta(DomainRule.Meta):
        verbose_name = "DMARC override"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(policy__in=["none", "quarantine"]), name="dmarc_override_softens"
            ),
        ]
