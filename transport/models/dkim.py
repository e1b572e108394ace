"""DKIM keys, one or more a domain."""

from django.db import models

from accounts.models import Domain


class DkimKey(models.Model):
    """A signing key; the private part is encrypted with ENCRYPTION_KEY (`accounts.secrets`)."""

    class Record(models.TextChoices):
        UNKNOWN = "", "not looked up yet"
        PUBLISHED = "published"
        DIFFERS = "differs", "another record stands there"
        MISSING = "missing", "not in DNS"

    domain = models.ForeignKey(Domain, on_delete=models.CASCADE, related_name="dkim_keys")
    selector = models.CharField(max_length=63)
    algorithm = models.CharField(max_length=20, default="rsa-sha256")
    private_key_encrypted = models.TextField(editable=False)
    public_key = models.TextField(
        editable=False, help_text="The p= of the DNS record: base64 DER (RFC 6376 §3.6.1)."
    )
    is_active = models.BooleanField("signs", default=True)
    record = models.CharField(
        "in DNS",
        max_length=10,
        choices=Record,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )
    checked_at = models.DateTimeField("looked up", null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "DKIM key"
        constraints = [
            models.UniqueConstraint(fields=["domain", "selector"], name="one_key_a_selector")
        ]

    def __str__(self) -> str:
        return f"{self.selector}._domainkey.{self.domain.name}"
