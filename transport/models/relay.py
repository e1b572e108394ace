"""Relays: where a domain's outbound mail goes instead of to the recipients' MX hosts."""

from django.db import models

from accounts.models import Domain


class Relay(models.Model):
    """A smart host of one domain, or (without a domain) of all that have none of their own."""

    class Tls(models.TextChoices):
        AUTOMATIC = "automatic", "required: STARTTLS, or TLS from the start on port 465"
        STARTTLS = "starttls", "required: STARTTLS"
        IMPLICIT = "implicit", "required: TLS from the start"
        OPPORTUNISTIC = "opportunistic", "STARTTLS if offered, the certificate unchecked"

    domain = models.OneToOneField(
        Domain,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="relay",
        help_text="Empty: every domain without a relay of its own.",
    )
    host = models.CharField(max_length=255)
    port = models.PositiveIntegerField(default=587)
    tls = models.CharField("TLS", max_length=20, choices=Tls, default=Tls.AUTOMATIC)
    username = models.CharField(max_length=320, blank=True)
    password_encrypted = models.TextField(blank=True, editable=False)
    ca_file = models.CharField(
        "CA file",
        max_length=500,
        blank=True,
        help_text="Certificates to trust, if not the system's.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["domain"], nulls_distinct=False, name="one_relay_a_domain"
            )
        ]

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"
