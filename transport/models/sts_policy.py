"""What domains demand of those who send them mail."""

from django.db import models


class StsPolicy(models.Model):
    """The MTA-STS policy of a domain as it was last fetched, or that it could not be (RFC 8461 §5.1)."""

    domain = models.CharField(max_length=255, unique=True)
    record_id = models.CharField(max_length=32)
    mode = models.CharField(max_length=7)
    patterns = models.JSONField()
    expires_at = models.DateTimeField()
    tried_at = models.DateTimeField()
    used_at = models.DateTimeField()

    class Meta:
        verbose_name = "MTA-STS policy"
        verbose_name_plural = "MTA-STS policies"

    def __str__(self) -> str:
        return self.domain
