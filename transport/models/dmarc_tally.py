"""What DMARC's aggregate reports are made of."""

from django.db import models


class DmarcTally(models.Model):
    """How many messages of one kind came on one day (UTC), until they are reported. `facts` is a `Tally`, `digest` its SHA-256."""

    day = models.DateField()
    policy_domain = models.CharField(max_length=255)
    digest = models.BinaryField()
    facts = models.JSONField()
    count = models.BigIntegerField()

    class Meta:
        verbose_name = "DMARC tally"
        verbose_name_plural = "DMARC tallies"
        constraints = [
            models.UniqueConstraint(
                fields=["day", "policy_domain", "digest"], name="one_dmarc_tally_a_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.policy_domain} on {self.day}"
